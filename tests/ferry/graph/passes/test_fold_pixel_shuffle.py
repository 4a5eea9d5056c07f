import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.graph.onnx_file import initializers
from ferry.graph.passes.fold_pixel_shuffle import fold_pixel_shuffle
from ferry.tflite import flatbuffer
from onnx_models import assert_rewritten, model_of, normal

SHAPE = [1, 3, 4, 5]
X = {"x": normal(9, *SHAPE)}
SWAP = [0, 1, 4, 2, 5, 3]


def shuffled(split=(1, 2, 2, 2, 4, 5), permutation=SWAP, joined=(1, 2, 8, 10), outputs=None, second_reader=False):
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="conv"),
        helper.make_node("Reshape", ["c", "split"], ["s"], name="split"),
        helper.make_node("Transpose", ["s"], ["t"], name="swap", perm=list(permutation)),
        helper.make_node("Reshape", ["t", "joined"], ["y"], name="join"),
    ]
    if second_reader:
        nodes.append(helper.make_node("Conv", ["x", "w", "b"], ["z"], name="other"))
    constants = {
        "w": normal(1, 8, 3, 1, 1), "b": normal(2, 8), "split": np.array(split, np.int64),
        "joined": np.array(joined, np.int64),
    }  # fmt: skip
    return model_of(nodes, {"x": SHAPE}, constants, outputs)


def test_it_is_one_operator_and_the_convolution_makes_its_order():
    assert assert_rewritten(shuffled(), fold_pixel_shuffle, X) == ["Conv", "DepthToSpace"]
    data = assert_converted(shuffled(), X)
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1, "DEPTH_TO_SPACE": 1}


def test_who_reads_the_channels_or_the_weights_too_finds_them_as_they_were():
    made = assert_rewritten(shuffled(outputs=["y", "c"]), fold_pixel_shuffle, X)
    assert made == ["Conv", "DepthToSpace"]
    model = shuffled(outputs=["y", "z"], second_reader=True)
    assert assert_rewritten(model, fold_pixel_shuffle, X) == ["Conv", "DepthToSpace", "Conv"]
    assert np.array_equal(initializers(model)["w"], normal(1, 8, 3, 1, 1))


@pytest.mark.parametrize(
    "other",
    [
        {"permutation": [0, 1, 5, 2, 4, 3], "joined": (1, 2, 10, 8)},
        {"split": (1, 2, 4, 1, 4, 5), "joined": (1, 2, 16, 5)},
        {"split": (1, 2, 2, 2, 5, 4), "joined": (1, 2, 10, 8)},
        {"joined": (1, 4, 4, 10)},
    ],
    ids=str,
)
def test_what_only_looks_like_one_stays(other):
    made = assert_rewritten(shuffled(**other), fold_pixel_shuffle, X)
    assert made == ["Conv", "Reshape", "Transpose", "Reshape"]
