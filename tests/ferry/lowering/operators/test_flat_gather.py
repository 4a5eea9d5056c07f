"""Gathers and scatters by element and by slice, with constant and with computed indices."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal

SHAPE = [3, 4, 5]
X = normal(1, *SHAPE)


def check(node, indices, more=None, computed=False, **options):
    nodes, constants, inputs, feeds = [node], dict(more or {}), {"x": SHAPE}, {"x": X}
    if computed:
        nodes = [helper.make_node("Cast", ["f"], ["i"], to=TensorProto.INT64), node]
        inputs["f"], feeds["f"] = list(indices.shape), indices.astype(np.float32)
    else:
        constants["i"] = indices
    data = assert_converted(model_of(nodes, inputs, constants, **options), feeds)
    assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_gather_elements(axis, computed):
    indices = np.random.RandomState(3).randint(-SHAPE[axis], SHAPE[axis], SHAPE)
    check(helper.make_node("GatherElements", ["x", "i"], ["y"], axis=axis), indices, computed=computed)


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gather_nd(depth, computed):
    random = np.random.RandomState(3)
    indices = np.stack([random.randint(-SHAPE[axis], SHAPE[axis], [2, 3]) for axis in range(depth)], -1)
    check(helper.make_node("GatherND", ["x", "i"], ["y"]), indices, computed=computed)


@pytest.mark.parametrize("computed", [False, True])
def test_gather_nd_with_batch_dimensions(computed):
    indices = np.random.RandomState(3).randint(0, 4, [3, 2, 1])
    check(helper.make_node("GatherND", ["x", "i"], ["y"], batch_dims=1), indices, computed=computed, opset=12)


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_scatter_elements(axis, computed):
    # Along the axis no place is written twice.
    order = np.stack([np.random.RandomState(seed).permutation(SHAPE[axis])[:2] for seed in range(60)])
    rest = [size for other, size in enumerate(SHAPE) if other != axis]
    indices = np.moveaxis(order[: int(np.prod(rest))].reshape([*rest, 2]), -1, axis)
    node = helper.make_node("ScatterElements", ["x", "i", "u"], ["y"], axis=axis)
    check(node, indices, {"u": normal(2, *indices.shape)}, computed=computed)


@pytest.mark.parametrize("computed", [False, True])
def test_scatter_nd(computed):
    indices = np.array([[0, 1], [2, 3], [1, 0]])
    check(helper.make_node("ScatterND", ["x", "i", "u"], ["y"]), indices, {"u": normal(2, 3, 5)}, computed=computed)


def test_a_scatter_that_writes_zeros():
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"])
    check(node, np.array([[1]]), {"u": np.zeros([1, 4, 5], np.float32)}, computed=True)
