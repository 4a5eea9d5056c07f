import itertools

import numpy as np
import pytest
import torch
from onnx import helper, numpy_helper

from converted import assert_converted, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import both_layouts, normal

SHAPE = [1, 3, 6, 5]
POSITIONS = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
ROUNDINGS = ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]
SIZES = [[1, 3, 12, 10], [1, 3, 9, 7], [1, 3, 4, 3]]


def check(sizes=None, scales=None, shape=None, **attributes):
    constants = {"r": np.zeros(0, np.float32), "s": np.array(scales or [], np.float32)}
    names = ["x", "r", "s"]
    if sizes:
        constants["z"] = np.array(sizes, np.int64)
        names.append("z")
    node = helper.make_node("Resize", names, ["y"], **attributes)
    for model in both_layouts(node, shape or SHAPE, constants):
        data = assert_converted(model, {"x": normal(1, *(shape or SHAPE))})
        assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize(("position", "sizes"), itertools.product(POSITIONS, SIZES))
def test_cubic(position, sizes):
    check(sizes, mode="cubic", coordinate_transformation_mode=position)


@pytest.mark.parametrize(("position", "sizes"), itertools.product(POSITIONS, SIZES))
def test_linear(position, sizes):
    check(sizes, mode="linear", coordinate_transformation_mode=position)


@pytest.mark.parametrize(("rounding", "position"), itertools.product(ROUNDINGS, ["half_pixel", "asymmetric"]))
def test_nearest(rounding, position):
    for sizes in SIZES:
        check(sizes, mode="nearest", nearest_mode=rounding, coordinate_transformation_mode=position)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_scales_that_do_not_divide(mode):
    check(scales=[1, 1, 0.6, 1.3], mode=mode, coordinate_transformation_mode="half_pixel")


def test_one_dimension():
    # ONNX Runtime 1.4.0 resizes images only.
    x = torch.from_numpy(normal(1, 2, 3, 8))
    wanted = torch.nn.functional.interpolate(x, size=17, mode="linear", align_corners=True)
    node = helper.make_node(
        "Resize", ["x", "r", "r", "z"], ["y"], mode="linear", coordinate_transformation_mode="align_corners"
    )
    constants = {"r": np.zeros(0, np.float32), "z": np.array(wanted.shape, np.int64)}
    graph = helper.make_graph(
        [node],
        "test",
        [helper.make_tensor_value_info("x", 1, x.shape)],
        [helper.make_tensor_value_info("y", 1, wanted.shape)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    data = converter.convert(convert_onnx.convert(model))
    assert abs(run_tflite(data, {"x": x.numpy()})[0] - wanted.numpy()).max() < 1e-6
