import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal


@st.composite
def pools(draw, rank):
    kernel = [draw(st.integers(1, 3)) for _ in range(rank)]
    return {
        "shape": [draw(st.integers(1, 2)), draw(st.integers(1, 3)), *(draw(st.integers(6, 9)) for _ in range(rank))],
        "kernel_shape": kernel,
        "strides": [draw(st.integers(1, 3)) for _ in range(rank)],
        "pads": [draw(st.integers(0, size // 2)) for size in kernel] * 2,
    }


def check(case, outputs=("y",), **attributes):
    shape = case.pop("shape")
    node = helper.make_node("MaxPool", ["x"], list(outputs), **case, **attributes)
    for model in both_layouts(node, shape, outputs=list(outputs)):
        data = assert_converted(model, {"x": normal(1, *shape)})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(pools(2), st.lists(st.integers(1, 2), min_size=2, max_size=2))
def test_dilated(case, dilations):
    check(case, dilations=dilations)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(pools(2))
def test_with_indices(case):
    check(case, ["y", "z"])


@settings(max_examples=10, deadline=None, derandomize=True)
@given(pools(3))
def test_in_three_dimensions(case):
    check(case)


def test_indices_in_one_dimension():
    check({"shape": [2, 3, 9], "kernel_shape": [3], "strides": [2], "pads": [1, 1]}, ["y", "z"])


@pytest.mark.parametrize("size", [8, 9])
def test_ceil_mode(size):
    case = {"shape": [1, 2, size, size], "kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]}
    check(case, ["y", "z"], ceil_mode=1)
