import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal


@pytest.mark.parametrize("shape", [[2, 3, 40], [2, 4, 7, 6], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("ones", [False, True])
def test_as_onnx_runtime(shape, ones):
    channels = shape[1]
    scale = np.ones(channels, np.float32) if ones else normal(2, channels)
    shift = np.zeros(channels, np.float32) if ones else normal(3, channels)
    node = helper.make_node("InstanceNormalization", ["x", "s", "b"], ["y"], epsilon=1e-3)
    for model in both_layouts(node, shape, {"s": scale, "b": shift}):
        data = assert_converted(model, {"x": 3 * normal(1, *shape) + 1})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))
