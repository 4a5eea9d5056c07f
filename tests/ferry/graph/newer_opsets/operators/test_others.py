import numpy as np
import pytest
from onnx import TensorProto, helper

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, lowered, model, normal

pytestmark = pytest.mark.fast


def test_col2im():
    x = normal(1, 2, 3 * 2 * 3, 8)
    image, block = np.array([5, 6], np.int64), np.array([2, 3], np.int64)
    blocks = x[..., :8].reshape(2, 3, 2, 3, 4, 2)
    expected = np.zeros((2, 3, 5, 6), np.float32)
    for row in range(4):
        for column in range(2):
            expected[:, :, row : row + 2, 3 * column : 3 * column + 3] += blocks[..., row, column]
    made = computed("Col2Im", 18, {"x": x}, {"i": image, "b": block}, strides=[1, 3])[0]
    assert_close(made, expected)


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
def test_the_batch_first(operator):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator]
    x, state = normal(2, 3, 5, 4), normal(3, 3, 1, 6)
    weights = {"w": normal(4, 1, gates * 6, 4), "r": normal(5, 1, gates * 6, 6)}
    inputs = ["x", "w", "r", "", "", "h"]
    batch_first = computed(operator, 14, {"x": x, "h": state}, weights, 2, inputs, hidden_size=6, layout=1)
    turned = {"x": x.transpose(1, 0, 2), "h": state.transpose(1, 0, 2)}
    time_first = computed(operator, 14, turned, weights, 2, inputs, hidden_size=6)
    assert_close(batch_first[0], time_first[0].transpose(2, 0, 1, 3))
    assert_close(batch_first[1], time_first[1].transpose(1, 0, 2))


def test_a_window_left_out_of_a_pool():
    x = normal(6, 1, 1, 2, 2)
    options = {"kernel_shape": [3, 3], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    made = computed("MaxPool", 22, {"x": x}, **options)[0]
    assert_close(made, x.max().reshape(1, 1, 1, 1))


@pytest.mark.parametrize(
    ("attribute", "value"), [("value_float", 2.0), ("value_int", 2), ("value_floats", [2.0]), ("value_ints", [2])]
)
def test_constants_of_every_kind(attribute, value):
    nodes = [
        helper.make_node("Constant", [], ["c"], **{attribute: value}),
        helper.make_node("Cast", ["c"], ["d"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "d"], ["y"]),
    ]
    x = normal(7, 3)
    assert_close(lowered(model(nodes, {"x": x}, 13), {"x": x})[0], 2 * x)


def test_numbers_in_a_row():
    x = normal(10, 4)
    bounds = {"a": np.array([1.5], np.float32), "b": np.array([-1], np.float32), "c": np.array([-0.75], np.float32)}
    nodes = [helper.make_node("Range", ["a", "b", "c"], ["r"]), helper.make_node("Add", ["x", "r"], ["y"])]
    made = lowered(model(nodes, {"x": x}, 27, bounds), {"x": x})[0]
    assert_close(made, x + np.arange(1.5, -1, -0.75, dtype=np.float32))


def test_windows_of_a_signal():
    x = normal(8, 10)
    for name, expected in (("HannWindow", np.hanning(10)), ("BlackmanWindow", np.blackman(10))):
        nodes = [helper.make_node(name, ["n"], ["w"], periodic=0), helper.make_node("Mul", ["x", "w"], ["y"])]
        made = lowered(model(nodes, {"x": x}, 17, {"n": np.array(10, np.int64)}), {"x": x})[0]
        assert_close(made, (x * expected).astype(np.float32))


@pytest.mark.parametrize(
    ("operator", "why"),
    [
        ("Bernoulli", "it draws random numbers"),
        ("OptionalHasElement", "a value that may be absent"),
        ("SequenceMap", "a sequence of tensors"),
        ("StringConcat", "it is about text"),
        ("BitwiseNot", "the operator has no form in opset 12"),
        ("RoiAlign", "half a pixel"),
    ],
)
def test_what_is_refused_by_name(operator, why):
    with pytest.raises(UnsupportedModelError, match=f"{operator} 'it' of opset 18: .*{why}"):
        computed(operator, 18, {"x": normal(9, 2, 2)})


def test_a_scale_for_each_channel_is_refused():
    x, scale = np.ones((2, 3), np.int8), np.ones(3, np.float32)
    with pytest.raises(UnsupportedModelError, match="DequantizeLinear 'it' of opset 13: it has a scale for each"):
        computed("DequantizeLinear", 13, {"x": x}, {"s": scale}, axis=1)
