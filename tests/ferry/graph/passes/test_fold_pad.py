import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.graph.passes.fold_pad import fold_pad
from onnx_models import assert_rewritten, model_of, normal

SHAPE = [1, 2, 6, 7]
X = {"x": normal(9, *SHAPE)}


def padded(widths, *nodes, value=0.0, outputs=None, mode="constant"):
    pad = helper.make_node("Pad", ["x", "widths", "value"], ["p"], name="pad", mode=mode)
    constants = {
        "widths": np.array(widths, np.int64),
        "value": np.float32(value).reshape(()),
        "w": normal(1, 3, 2, 3, 3),
    }
    return model_of([pad, *nodes], {"x": SHAPE}, constants, outputs)


CONV = helper.make_node("Conv", ["p", "w"], ["y"], name="conv", pads=[1, 0, 0, 0])
POOL = helper.make_node("AveragePool", ["p"], ["y"], name="pool", kernel_shape=[3, 3])
ZEROS = [0, 0, 1, 2, 0, 0, 0, 1]


@pytest.mark.parametrize("reader", [CONV, POOL])
def test_zeros_fold_into_what_reads_them(reader):
    assert assert_rewritten(padded(ZEROS, reader), fold_pad, X) == [reader.op_type]


def test_an_average_pool_that_counts_its_padding_is_still_right_in_tflite():
    assert_converted(padded([0, 0, 1, 1, 0, 0, 1, 1], POOL), X)


@pytest.mark.parametrize(
    "model",
    [
        lambda: padded(ZEROS, CONV, value=1.0),
        lambda: padded([0, 0, 1, 2, 0, 0, 0, 1], CONV, mode="reflect"),
        lambda: padded([0, 0, 0, 0, 0, 0, 0, -1], CONV),
        lambda: padded(ZEROS, CONV, outputs=["y", "p"]),
        lambda: padded(ZEROS, helper.make_node("MaxPool", ["p"], ["y"], kernel_shape=[2, 2])),
        lambda: padded(ZEROS, helper.make_node("AveragePool", ["p"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])),
    ],
    ids=["ones", "reflected", "cropped", "output", "max", "own padding"],
)
def test_any_other_stays(model):
    assert "Pad" in assert_rewritten(model(), fold_pad, X)
