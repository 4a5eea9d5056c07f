"""``TopK``, ``ArgMax`` and ``ArgMin``."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal

SHAPE = [2, 6, 4, 5]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(-4, 3), st.integers(1, 2), st.booleans())
def test_top_k(axis, k, largest):
    node = helper.make_node("TopK", ["x", "k"], ["y", "z"], axis=axis, largest=int(largest))
    for model in both_layouts(node, SHAPE, {"k": np.array([k], np.int64)}, outputs=["y", "z"]):
        data = assert_converted(model, {"x": normal(1, *SHAPE)})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_top_k_with_an_attribute(axis):
    node = helper.make_node("TopK", ["x"], ["y", "z"], axis=axis, k=2)
    for model in both_layouts(node, SHAPE, outputs=["y", "z"], opset=9):
        assert_converted(model, {"x": normal(1, *SHAPE)})


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.sampled_from(["ArgMax", "ArgMin"]), st.integers(-4, 3), st.integers(0, 1))
def test_arg(operator, axis, keepdims):
    node = helper.make_node(operator, ["x"], ["y"], axis=axis, keepdims=keepdims)
    for model in both_layouts(node, SHAPE):
        data = assert_converted(model, {"x": normal(1, *SHAPE)})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize("last", [0, 1])
def test_arg_of_equal_values(last):
    node = helper.make_node("ArgMax", ["x"], ["y"], axis=1, select_last_index=last)
    model = both_layouts(node, [2, 5], opset=12)[0]
    assert_converted(model, {"x": np.array([[1, 3, 3, 2, 3], [0, 0, 0, 0, 0]], np.float32)})
