import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.graph.passes.fold_channel_shuffle import fold_channel_shuffle
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, model_of, normal, rewrite, run_onnx

SHAPE = [1, 6, 4, 5]


def shuffle(split=(1, 2, 3, 4, 5), permutation=(0, 2, 1, 3, 4), joined=(1, 6, 4, 5), x="x"):
    nodes = [
        helper.make_node("Reshape", [x, "split"], ["a"], name="split"),
        helper.make_node("Transpose", ["a"], ["b"], name="swap", perm=list(permutation)),
        helper.make_node("Reshape", ["b", "joined"], ["y"], name="join"),
    ]
    return nodes, {"split": np.array(split, np.int64), "joined": np.array(joined, np.int64)}


def kinds(model):
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("groups", [2, 3])
def test_a_shuffle_becomes_one_gather(groups):
    nodes, constants = shuffle(split=(1, groups, 6 // groups, 4, 5))
    model = model_of(nodes, {"x": SHAPE}, constants)
    x = normal(1, *SHAPE)
    expected = run_onnx(model, {"x": x})[0]
    rewrite(model, fold_channel_shuffle)
    assert kinds(model) == ["Gather"]
    np.testing.assert_array_equal(run_onnx(model, {"x": x})[0], expected)


def test_between_convolutions_it_needs_no_transpose():
    nodes, constants = shuffle()
    data = assert_converted(after_a_convolution(nodes, SHAPE, constants), {"x": normal(1, *SHAPE)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1, "GATHER": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"permutation": (0, 2, 1, 4, 3), "joined": (1, 6, 5, 4)},
        {"split": (1, 2, 3, 5, 4)},
        {"joined": (1, 3, 8, 5)},
        {"split": (1, 6, 2, 2, 5), "joined": (1, 6, 4, 5)},
    ],
    ids=str,
)
def test_what_only_looks_like_one_stays(other):
    nodes, constants = shuffle(**other)
    model = model_of(nodes, {"x": SHAPE}, constants)
    rewrite(model, fold_channel_shuffle)
    assert kinds(model) == ["Reshape", "Transpose", "Reshape"]
    assert_converted(model, {"x": normal(1, *SHAPE)})


def test_one_whose_middle_is_read_elsewhere_stays():
    nodes, constants = shuffle()
    nodes.append(helper.make_node("Relu", ["b"], ["z"], name="spy"))
    model = model_of(nodes, {"x": SHAPE}, constants, outputs=["y", "z"])
    rewrite(model, fold_channel_shuffle)
    assert "Gather" not in kinds(model)
