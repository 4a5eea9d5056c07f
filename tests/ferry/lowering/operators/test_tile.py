"""``Tile``, ``Expand``, ``CumSum``, ``OneHot``, ``Pow``, ``Mod`` and the norms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from converted import assert_converted
from ferry.lowering.operators import reduce_norm
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, model_of, normal

SHAPE = [2, 6, 4, 5]


def check(node, constants=None, shape=None, x=None, **options):
    shape = SHAPE if shape is None else shape
    for model in both_layouts(node, shape, constants, **options):
        data = assert_converted(model, {"x": normal(1, *shape) if x is None else x})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize("repeats", [[1, 1, 1, 1], [2, 1, 1, 3], [1, 2, 2, 1]])
def test_tile(repeats):
    check(helper.make_node("Tile", ["x", "r"], ["y"]), {"r": np.array(repeats, np.int64)})


@pytest.mark.parametrize(
    ("shape", "target"), [([1, 3, 1, 1], [2, 3, 4, 5]), ([3, 1], [2, 3, 4]), ([2, 3, 4], [3, 1]), ([1], [1, 1, 6])]
)
def test_expand(shape, target):
    check(helper.make_node("Expand", ["x", "s"], ["y"]), {"s": np.array(target, np.int64)}, shape)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(-4, 3), st.integers(0, 1), st.integers(0, 1))
def test_cum_sum(axis, exclusive, reverse):
    node = helper.make_node("CumSum", ["x", "a"], ["y"], exclusive=exclusive, reverse=reverse)
    check(node, {"a": np.array(axis, np.int32)})


@pytest.mark.parametrize("axis", [-1, 0, 1, -2])
def test_one_hot(axis):
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("OneHot", ["i", "d", "v"], ["y"], axis=axis),
    ]
    constants = {"d": np.array([7], np.int64), "v": np.array([-0.5, 2], np.float32)}
    model = model_of(nodes, {"x": [2, 3]}, constants)
    # ONNX Runtime 1.4.0 takes indices from -7 to 6, and gives nothing for others.
    assert_converted(model, {"x": np.array([[0, 6, -1], [-7, 3, 9]], np.float32)})


@pytest.mark.parametrize("exponent", [2.0, 0.5, 3.0, -1.5])
def test_power(exponent):
    # What a convolution made is negative half of the time.
    model = both_layouts(helper.make_node("Pow", ["x", "e"], ["y"]), SHAPE, {"e": np.array(exponent, np.float32)})[0]
    assert_converted(model, {"x": np.abs(normal(1, *SHAPE)) + 0.1})


def test_square():
    check(helper.make_node("Pow", ["x", "e"], ["y"]), {"e": np.array([2], np.float32)})


def test_power_of_another_type():
    check(helper.make_node("Pow", ["x", "e"], ["y"]), {"e": np.array([1, 2, 3, 0, 2], np.int64)}, opset=12)


def test_remainder():
    divisor = np.array([1.5, -0.4, 2.0, 0.25, -3.0], np.float32)
    check(helper.make_node("Mod", ["x", "d"], ["y"], fmod=1), {"d": divisor}, x=7 * normal(1, *SHAPE))


@pytest.mark.parametrize("operator", sorted(reduce_norm.FUNCTIONS))
@pytest.mark.parametrize("axes", [None, [1], [2, 3], [-1]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_norms(operator, axes, keepdims):
    attributes = {"axes": axes} if axes else {}
    # Away from zero: the logarithm of a sum of them multiplies its rounding.
    x = np.abs(normal(1, *SHAPE)) + 1
    node = helper.make_node(operator, ["x"], ["y"], keepdims=keepdims, **attributes)
    for model in both_layouts(node, SHAPE)[: 1 if operator == "ReduceLogSum" else 2]:
        assert_converted(model, {"x": x})
