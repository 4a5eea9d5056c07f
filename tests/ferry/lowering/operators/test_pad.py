import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal


@pytest.mark.parametrize("mode", ["reflect", "edge"])
@pytest.mark.parametrize("pads", [[0, 0, 3, 2, 0, 0, 1, 4], [0, 1, 0, 0, 0, 2, 0, 3], [0, 0, 0, 0, 0, 0, 0, 0]])
def test_rows_from_inside_are_gathered(mode, pads):
    node = helper.make_node("Pad", ["x", "pads"], ["y"], name="it", mode=mode)
    for model in both_layouts(node, [2, 3, 4, 5], {"pads": np.array(pads, np.int64)}):
        operators = flatbuffer.operators(assert_converted(model, {"x": normal(1, 2, 3, 4, 5)}))
        padded = sum(before + after > 0 for before, after in zip(pads[:4], pads[4:]))
        assert operators.get("GATHER", 0) == padded and "MIRROR_PAD" not in operators
