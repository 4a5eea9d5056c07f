import pytest
from onnx import helper

from converted import assert_converted
from onnx_models import both_layouts, normal


@pytest.mark.parametrize(
    ("shape", "axis"), [([2, 5], 1), ([2, 5], -1), ([2, 3, 5], 2), ([2, 3, 4, 5], 3), ([2, 3, 1, 1], 1), ([2, 3, 5], 1)]
)
def test_it_computes_what_onnx_runtime_does(shape, axis):
    for model in both_layouts(helper.make_node("Softmax", ["x"], ["y"], name="it", axis=axis), shape):
        assert_converted(model, {"x": normal(1, *shape)})
