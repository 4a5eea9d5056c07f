import itertools

import numpy as np
import pytest
from onnx import helper

from converted import assert_converted, run_tflite
from ferry.lowering import convert_onnx
from ferry.lowering.operators import reduce
from ferry.tflite import converter, flatbuffer
from onnx_models import after_a_convolution, both_layouts, normal

SHAPE = [2, 3, 4, 5]
AXES = [list(axes) for count in range(1, 5) for axes in itertools.combinations(range(4), count)]


@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceMax"])
@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("axes", AXES)
def test_over_any_axes_it_computes_what_onnx_runtime_does(axes, keep, operator):
    node = helper.make_node(operator, ["x"], ["y"], name="it", axes=axes, keepdims=keep)
    for model in both_layouts(node, SHAPE):
        assert_converted(model, {"x": normal(1, *SHAPE)})


@pytest.mark.parametrize("operator", sorted(reduce.FUNCTIONS))
def test_every_reduction_is_right(operator):
    node = helper.make_node(operator, ["x"], ["y"], name="it")
    for model in both_layouts(node, SHAPE):
        assert_converted(model, {"x": normal(1, *SHAPE)})


@pytest.mark.parametrize("shape", [(1, 3, 5), (2, 3, 5, 7)])
def test_a_global_pool_is_one_mean(shape):
    node = helper.make_node("GlobalAveragePool", ["x"], ["y"], name="pool")
    data = assert_converted(both_layouts(node, list(shape))[0], {"x": normal(1, *shape)})
    assert flatbuffer.operators(data) == {"MEAN": 1}


@pytest.mark.parametrize("flatten", ["Flatten", "Squeeze"])
def test_with_the_flattening_after_it_too(flatten):
    pool = helper.make_node("GlobalAveragePool", ["x"], ["p"], name="pool")
    attributes = {"axes": [2, 3]} if flatten == "Squeeze" else {}
    after = helper.make_node(flatten, ["p"], ["y"], name="flat", **attributes)
    data = assert_converted(after_a_convolution([pool, after], SHAPE), {"x": normal(1, *SHAPE)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 1, "CONV_2D": 1, "MEAN": 1}


def rounding(model, x, exact):
    """How far the TFLite model is off ``exact``, over its mean magnitude, at worst."""
    (y,) = run_tflite(converter.convert(convert_onnx.convert(model)), {"x": x})
    return np.abs(y - exact).max() / np.abs(exact).mean()


# One value after another, these sums are off by 2e-6 to 6e-6.
@pytest.mark.slow
@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceSum"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [([1, 4, 160, 200], [2, 3]), ([1, 4, 90, 120], [1, 2, 3]), ([2, 3, 20011], [2]), ([2, 20000, 5], [1])],
)
@pytest.mark.parametrize("keep", [0, 1])
def test_a_sum_of_many_is_exact(operator, shape, axes, keep):
    node = helper.make_node(operator, ["x"], ["y"], name="it", axes=axes, keepdims=keep)
    x = np.abs(normal(1, *shape)) + np.float32(0.1)
    exact = {"ReduceMean": np.mean, "ReduceSum": np.sum}[operator](
        x.astype(np.float64), axis=tuple(axes), keepdims=bool(keep)
    )
    assert rounding(both_layouts(node, shape)[0], x, exact) < 1e-6


@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceSum", "GlobalAveragePool"])
def test_a_sum_of_many_is_right_in_either_layout(operator):
    axes = {} if operator == "GlobalAveragePool" else {"axes": [2, 3]}
    shape = [1, 3, 3, 1300]
    for model in both_layouts(helper.make_node(operator, ["x"], ["y"], name="it", **axes), shape):
        assert_converted(model, {"x": normal(1, *shape)})


@pytest.mark.parametrize(
    "operator, attributes", [("GlobalAveragePool", {}), ("ReduceMean", {"axes": [2, 3], "keepdims": 0})]
)
def test_a_mean_over_a_large_plane_is_two_pools(operator, attributes):
    node = helper.make_node(operator, ["x"], ["y"], name="it", **attributes)
    shape = [2, 3, 40, 50]
    model = after_a_convolution([node], shape)
    operators = flatbuffer.operators(assert_converted(model, {"x": normal(1, *shape)}))
    assert operators["AVERAGE_POOL_2D"] == 2 and "MEAN" not in operators
