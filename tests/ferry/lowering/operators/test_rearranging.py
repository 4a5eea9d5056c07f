"""Operators that move values about: concat, split, slice, gather, transpose, pad, reshape, flatten."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, model_of, normal

SHAPE = [2, 6, 4, 5]
X = normal(1, *SHAPE)


def check(node, constants=None, shape=None, **options):
    for model in both_layouts(node, shape or SHAPE, constants, **options):
        assert_converted(model, {"x": X if shape is None else normal(1, *shape)})


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -3])
def test_concat(axis):
    check(helper.make_node("Concat", ["x", "x", "c"], ["y"], name="it", axis=axis), {"c": normal(2, *SHAPE)})


@pytest.mark.parametrize(("axis", "lengths"), [(1, None), (1, [1, 5]), (2, [1, 3]), (-1, [2, 3]), (0, None)])
def test_split(axis, lengths):
    attributes = {"split": lengths} if lengths else {}
    node = helper.make_node("Split", ["x"], ["y", "z"], name="it", axis=axis, **attributes)
    check(node, outputs=["y", "z"])


@st.composite
def slices(draw):
    axes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True))
    bounds = st.one_of(st.integers(-7, 7), st.just(2**31 - 1))
    cuts = []
    for axis in axes:
        start, end, step = draw(bounds), draw(bounds), draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        if not len(range(*slice(start, end, step).indices(SHAPE[axis]))):
            start, end = (0, 2**31 - 1) if step > 0 else (-1, -(2**31))
        cuts.append((start, end, draw(st.sampled_from([axis, axis - 4])), step))
    return cuts


@settings(max_examples=25, deadline=None, derandomize=True)
@given(slices())
def test_slice(cuts):
    constants = {name: np.array(values, np.int64) for name, values in zip(["s", "e", "a", "p"], zip(*cuts))}
    check(helper.make_node("Slice", ["x", *constants], ["y"], name="it"), constants)


def test_slice_with_attributes():
    check(helper.make_node("Slice", ["x"], ["y"], name="it", starts=[1, -3], ends=[3, 99], axes=[1, 3]), opset=9)


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("indices", [[0], [1, 0, 1], [-1, 0], 1, -1, [[0, 1], [1, 0]]])
def test_gather(axis, indices):
    check(helper.make_node("Gather", ["x", "i"], ["y"], name="it", axis=axis), {"i": np.array(indices, np.int64)})


@pytest.mark.parametrize("permutation", [None, [0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2], [3, 2, 1, 0], [0, 1, 2, 3]])
def test_transpose(permutation):
    attributes = {"perm": permutation} if permutation else {}
    check(helper.make_node("Transpose", ["x"], ["y"], name="it", **attributes))


@pytest.mark.parametrize("permutation", [[0, 1, 3, 2, 4, 5], [0, 2, 4, 1, 3, 5], [5, 4, 3, 2, 1, 0]])
def test_transpose_of_six_axes_needs_no_flex(permutation):
    node = helper.make_node("Transpose", ["x"], ["y"], name="it", perm=permutation)
    data = assert_converted(model_of([node], {"x": [2, 3, 4, 2, 3, 2]}), {"x": normal(1, 2, 3, 4, 2, 3, 2)})
    assert set(flatbuffer.operators(data)) == {"RESHAPE", "TRANSPOSE"}


# ONNX Runtime 1.4.0 reflects the batch and channels wrongly, and PyTorch never does.
@pytest.mark.parametrize(
    ("mode", "widths"),
    [
        ("constant", [0, 0, 1, 2, 0, 0, 3, 1]),
        ("reflect", [0, 0, 1, 2, 0, 0, 3, 1]),
        ("edge", [0, 0, 1, 2, 0, 0, 3, 1]),
        ("edge", [0, 2, 0, 0, 0, 1, 0, 7]),
        ("constant", [0, 2, 0, 0, 0, 1, 0, 0]),
        ("constant", [1, 0, 0, 0, 0, 0, 0, 0]),
    ],
)
def test_pad(mode, widths):
    constants = {"w": np.array(widths, np.int64), "v": np.array(1.5, np.float32)}
    inputs = ["x", "w", "v"] if mode == "constant" else ["x", "w"]
    check(helper.make_node("Pad", inputs, ["y"], name="it", mode=mode), {name: constants[name] for name in inputs[1:]})


def test_pad_with_attributes():
    check(helper.make_node("Pad", ["x"], ["y"], name="it", pads=[0, 0, 1, 1, 0, 0, 2, 2], value=-2.0), opset=10)


@pytest.mark.parametrize("target", [[2, 12, 10], [-1], [0, -1], [0, 0, 20], [2, 2, 3, 4, 5], [0, 3, 2, 0, 5]])
def test_reshape(target):
    if len(target) == 5 and target[3] == 0:
        target = [2, 3, 2, 4, 5]
    check(helper.make_node("Reshape", ["x", "t"], ["y"], name="it"), {"t": np.array(target, np.int64)})


@pytest.mark.parametrize("shape", [[2, 6, 1, 1], [2, 1, 4, 5], [1, 6, 1, 5], [2, 2, 2, 2], [1, 1, 1, 1], [3, 1, 3, 3]])
def test_reshape_where_some_dimensions_are_one(shape):
    check(helper.make_node("Reshape", ["x", "t"], ["y"], name="it"), {"t": np.array([0, -1], np.int64)}, shape=shape)


@pytest.mark.parametrize("axis", [0, 1, 2, 4, -1])
def test_flatten(axis):
    check(helper.make_node("Flatten", ["x"], ["y"], name="it", axis=axis))
