import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal

SHAPE = [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("Selu", {}),
        ("Selu", {"alpha": 2.0, "gamma": 0.5}),
        ("Softplus", {}),
        ("Softsign", {}),
        ("ThresholdedRelu", {}),
        ("ThresholdedRelu", {"alpha": 0.3}),
    ],
)
def test_as_onnx_runtime(operator, attributes):
    for model in both_layouts(helper.make_node(operator, ["x"], ["y"], **attributes), SHAPE):
        data = assert_converted(model, {"x": 3 * normal(1, *SHAPE)})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_celu(alpha):
    for model in both_layouts(helper.make_node("Celu", ["x"], ["y"], alpha=alpha), SHAPE, opset=12):
        assert_converted(model, {"x": 3 * normal(1, *SHAPE)})


def test_softplus_of_a_large_value_is_that_value():
    model = both_layouts(helper.make_node("Softplus", ["x"], ["y"]), [3])[0]
    assert_converted(model, {"x": np.array([-200, 0, 200], np.float32)})
