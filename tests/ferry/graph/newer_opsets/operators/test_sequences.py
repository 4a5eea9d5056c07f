import numpy as np
import pytest
from onnx import helper

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, lowered, model, normal

pytestmark = pytest.mark.fast

X = normal(1, 2, 5)
PLACES = {"zero": np.array(0, np.int64), "last": np.array(-1, np.int64), "two": np.array(2, np.int64)}


def made(*nodes, outputs=None, **more):
    return lowered(model(nodes, {"x": X}, 18, {**PLACES, **more}, outputs), {"x": X})


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(), outputs.split(), name="it", **attributes)


def test_parts_of_one_size_and_the_rest():
    split = node("SplitToSequence", "x two", "s", axis=1)
    assert_close(made(split, node("SequenceAt", "s last", "y"))[0], X[:, 4:])
    assert_close(made(split, node("SequenceAt", "s zero", "y"))[0], X[:, :2])


def test_parts_of_given_sizes():
    split = node("SplitToSequence", "x sizes", "s", axis=1)
    assert_close(made(split, node("SequenceAt", "s last", "y"), sizes=np.array([1, 4], np.int64))[0], X[:, 1:])


@pytest.mark.parametrize("keepdims", [0, 1])
def test_slices(keepdims):
    nodes = [node("SplitToSequence", "x", "s", axis=1, keepdims=keepdims), node("SequenceAt", "s two", "y")]
    assert_close(made(*nodes)[0], X[:, 2:3] if keepdims else X[:, 2])


def test_a_sequence_that_is_built_and_joined():
    nodes = [
        node("Neg", "x", "n"),
        node("SequenceConstruct", "x n x", "a"),
        node("SequenceErase", "a zero", "b"),
        node("SequenceInsert", "b n", "c"),
        node("ConcatFromSequence", "c", "y", axis=0),
        node("ConcatFromSequence", "c", "z", axis=1, new_axis=1),
    ]
    joined, stacked = made(*nodes, outputs=["y", "z"])
    assert_close(joined, np.concatenate([-X, X, -X]))
    assert_close(stacked, np.stack([-X, X, -X], axis=1))


def test_its_length():
    nodes = [
        node("SplitToSequence", "x two", "s", axis=1),
        node("SequenceLength", "s", "n"),
        node("Cast", "n", "f", to=1),
        node("Mul", "x f", "y"),
    ]
    assert_close(made(*nodes)[0], X * 3)


def test_what_is_no_place_of_it_is_refused():
    with pytest.raises(UnsupportedModelError, match="SequenceAt 'it' of opset 18: place 2 is none of a sequence of 2"):
        made(node("SequenceConstruct", "x x", "s"), node("SequenceAt", "s two", "y"))
    with pytest.raises(UnsupportedModelError, match="which tensors its sequence holds is not known"):
        made(node("SequenceAt", "x two", "y"))
