import numpy as np
import pytest
from onnx import TensorProto, helper

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, lowered, model, normal

pytestmark = pytest.mark.fast

REDUCTIONS = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
    "ReduceL1": lambda x, **how: np.abs(x).sum(**how),
    "ReduceL2": lambda x, **how: np.sqrt(np.square(x).sum(**how)),
    "ReduceSumSquare": lambda x, **how: np.square(x).sum(**how),
}


def ints(*values):
    return np.array(values, np.int64)


def test_squeeze_and_unsqueeze():
    x = normal(1, 2, 1, 3, 1)
    assert_close(computed("Squeeze", 13, {"x": x}, {"axes": ints(-1)})[0], x[..., 0])
    assert_close(computed("Squeeze", 13, {"x": x})[0], x[:, 0, :, 0])
    assert_close(computed("Unsqueeze", 21, {"x": x}, {"axes": ints(0, -1)})[0], x[None, ..., None])


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    x = normal(2, 2, 3, 4)
    reduced = REDUCTIONS[name]
    assert_close(computed(name, 18, {"x": x}, {"a": ints(1, -1)})[0], reduced(x, axis=(1, 2), keepdims=True))
    assert_close(computed(name, 18, {"x": x}, {"a": ints(0)}, keepdims=0)[0], reduced(x, axis=0))
    assert_close(computed(name, 18, {"x": x}, keepdims=0)[0], np.asarray(reduced(x)))
    assert_close(computed(name, 18, {"x": x}, {"a": ints()}, keepdims=0)[0], np.asarray(reduced(x)))


def test_a_reduction_over_no_axis():
    x = normal(3, 2, 3)
    for name, expected in (("ReduceMean", x), ("ReduceL2", abs(x)), ("ReduceSumSquare", x * x)):
        assert_close(computed(name, 18, {"x": x}, noop_with_empty_axes=1)[0], expected)


def test_up_to_opset_17_the_axes_of_a_mean_are_an_attribute():
    x = normal(4, 2, 3)
    assert_close(computed("ReduceMean", 17, {"x": x}, axes=[1])[0], x.mean(axis=1, keepdims=True))


def test_a_reduction_of_truth():
    x = np.array([[True, False], [False, False]])
    made = computed("ReduceMax", 20, {"x": x}, {"a": ints(1)}, keepdims=0, element=TensorProto.BOOL)[0]
    assert made.tolist() == [True, False]


def test_split_into_given_sizes_and_into_a_number_of_parts_with_a_rest():
    x = normal(5, 2, 7)
    given = computed("Split", 13, {"x": x}, {"sizes": ints(2, 5)}, outputs=2, axis=1)
    assert [part.shape[1] for part in given] == [2, 5]
    parts = computed("Split", 18, {"x": x}, outputs=3, axis=-1, num_outputs=3)
    assert [part.shape[1] for part in parts] == [3, 3, 1]
    assert_close(np.concatenate(parts, axis=1), x)


def test_sizes_that_are_computed_from_a_shape_are_constant():
    x = normal(6, 2, 6)
    nodes = [
        helper.make_node("Shape", ["x"], ["width"], start=1),
        helper.make_node("Div", ["width", "two"], ["half"]),
        helper.make_node("Concat", ["half", "half"], ["sizes"], axis=0),
        helper.make_node("Split", ["x", "sizes"], ["left", "right"], axis=1),
    ]
    made = lowered(model(nodes, {"x": x}, 18, {"two": ints(2)}, ["left", "right"]), {"x": x})
    assert_close(made[1], x[:, 3:])


def test_sizes_that_depend_on_the_input_are_refused():
    with pytest.raises(UnsupportedModelError, match="Split 'it' of opset 13: its sizes depend on the model's input"):
        computed("Split", 13, {"x": normal(7, 2, 2), "sizes": ints(1, 1)}, outputs=2)
