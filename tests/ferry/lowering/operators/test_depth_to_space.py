import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("shape", [[1, 12, 3, 4], [2, 4, 5, 3]])
def test_depth_to_space(mode, shape):
    for model in both_layouts(helper.make_node("DepthToSpace", ["x"], ["y"], blocksize=2, mode=mode), shape):
        data = assert_converted(model, {"x": normal(1, *shape)})
        assert flatbuffer.operators(data)["DEPTH_TO_SPACE"] == 1


def test_space_to_depth():
    for model in both_layouts(helper.make_node("SpaceToDepth", ["x"], ["y"], blocksize=2), [1, 3, 4, 6]):
        data = assert_converted(model, {"x": normal(1, 1, 3, 4, 6)})
        assert flatbuffer.operators(data)["SPACE_TO_DEPTH"] == 1
