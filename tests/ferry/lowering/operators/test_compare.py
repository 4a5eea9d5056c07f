"""Comparisons, logic, signs, casts: what makes and takes truth values."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, model_of, normal

SHAPE = [2, 3, 4, 5]
X = normal(1, *SHAPE)


def check(nodes, constants, **options):
    """The nodes read ``x``; the last one makes ``y``."""
    for model in (model_of(nodes, {"x": SHAPE}, constants, **options), made_last(nodes, constants, **options)):
        data = assert_converted(model, {"x": X})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


def made_last(nodes, constants, **options):
    copies = [onnx.NodeProto() for _ in nodes]
    for copy, node in zip(copies, nodes):
        copy.CopyFrom(node)
    return after_a_convolution(copies, SHAPE, constants, **options)


@pytest.mark.parametrize("operator", ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"])
@pytest.mark.parametrize("shape", [[], [5], [3, 1, 1], SHAPE])
def test_comparisons(operator, shape):
    options = {"opset": 12} if operator.endswith("OrEqual") else {}
    check([helper.make_node(operator, ["x", "c"], ["y"])], {"c": normal(2, *shape)}, **options)


@pytest.mark.parametrize("operator", ["And", "Or", "Xor"])
def test_logic(operator):
    zero = np.zeros([1, 3, 1, 1], np.float32)
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["a"]),
        helper.make_node("Less", ["x", "c"], ["b"]),
        helper.make_node(operator, ["a", "b"], ["c_"]),
        helper.make_node("Not", ["c_"], ["y"]),
    ]
    check(nodes, {"zero": zero, "c": normal(2, 3, 1, 1)})


@pytest.mark.parametrize("shape", [[], [5], SHAPE])
def test_where(shape):
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["a"]),
        helper.make_node("Where", ["a", "x", "c"], ["y"]),
    ]
    check(nodes, {"zero": np.zeros([], np.float32), "c": normal(2, *shape)})


def test_sign():
    check([helper.make_node("Sign", ["x"], ["y"])], {})


@pytest.mark.parametrize("target", [TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL])
def test_casts(target):
    nodes = [helper.make_node("Cast", ["x"], ["a"], to=target), helper.make_node("Cast", ["a"], ["y"], to=1)]
    check(nodes, {})


@pytest.mark.parametrize("operator", ["IsNaN", "IsInf"])
def test_what_is_no_number(operator):
    nodes = [helper.make_node(operator, ["x"], ["a"]), helper.make_node("Cast", ["a"], ["y"], to=1)]
    model = model_of(nodes, {"x": SHAPE})
    assert_converted(model, {"x": np.where(X > 1, np.inf, np.where(X < -1, np.nan, X)).astype(np.float32)})
