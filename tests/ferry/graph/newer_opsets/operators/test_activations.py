import math

import numpy as np
import pytest
from onnx import TensorProto, helper

from newer_models import assert_close, computed, lowered, model, normal

pytestmark = pytest.mark.fast

X = normal(1, 3, 4, 5) * 3


def erf(x):
    return np.vectorize(math.erf)(x.astype(np.float64))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize(
    ("operator", "opset", "attributes", "expected"),
    [
        ("Gelu", 20, {}, X * (1 + erf(X / np.sqrt(2))) / 2),
        ("Gelu", 20, {"approximate": "tanh"}, X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3))) / 2),
        ("HardSwish", 14, {}, X * np.clip(X + 3, 0, 6) / 6),
        ("Mish", 18, {}, X * np.tanh(np.log1p(np.exp(X)))),
        ("Swish", 24, {}, X * sigmoid(X)),
        ("Swish", 24, {"alpha": 1.5}, X * sigmoid(1.5 * X)),
        ("Celu", 22, {"alpha": 2.0}, np.maximum(0, X) + np.minimum(0, 2 * (np.exp(X / 2) - 1))),
        ("ThresholdedRelu", 22, {"alpha": 2.0}, np.where(X > 2, X, 0)),
        ("Softmax", 13, {}, softmax(X, -1)),
        ("Softmax", 13, {"axis": 1}, softmax(X, 1)),
        ("Softmax", 13, {"axis": 0}, softmax(X, 0)),
        ("LogSoftmax", 13, {"axis": -2}, np.log(softmax(X, 1))),
    ],
)
def test_activations(operator, opset, attributes, expected):
    assert_close(computed(operator, opset, {"x": X}, **attributes)[0], expected)


def test_up_to_opset_12_a_softmax_is_over_all_axes_from_one_on():
    expected = softmax(X.reshape(3, -1), -1).reshape(X.shape)
    made = model([helper.make_node("Softmax", ["x"], ["y"], axis=1)], {"x": X}, 12)
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, X.shape))
    assert_close(lowered(made, {"x": X})[0], expected)


def test_hardmax_and_swiglu():
    made = computed("Hardmax", 13, {"x": X}, axis=1)[0]
    assert made.argmax(axis=1).tolist() == X.argmax(axis=1).tolist()
    assert made.sum() == 15
    gate, x = normal(2, 2, 3), normal(3, 2, 3)
    assert_close(computed("SwiGLU", 28, {"gate": gate, "x": x})[0], gate * sigmoid(gate) * x)


def test_relu_of_whole_numbers():
    x = np.array([-2, 0, 3], np.int32)
    assert computed("Relu", 14, {"x": x}, element=TensorProto.INT32)[0].tolist() == [0, 0, 3]


def test_the_rest_of_a_division_of_floats():
    x, y = normal(4, 50) * 5, np.where(normal(5, 50) > 0, 2, -1.5).astype(np.float32)
    assert_close(computed("Mod", 28, {"x": x, "y": y})[0], np.mod(x, y))
