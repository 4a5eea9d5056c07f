import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.lowering.operators import binary
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, both_layouts, model_of, normal

SHAPE = [1, 3, 4, 5]


CONSTANTS = [(), (1,), (5,), (4, 1), (3, 1, 1), (1, 3, 1, 1), (1, 3, 4, 5), (2, 1, 1, 1)]
CASES = [(name, shape) for name in sorted(binary.FUNCTIONS) for shape in CONSTANTS]


@pytest.mark.parametrize(("operator", "constant"), CASES)
def test_a_constant_is_broadcast_as_onnx_runtime_does(operator, constant):
    value = abs(normal(2, *constant)) + 0.5 if constant else normal(2, 1).reshape(())
    node = helper.make_node(operator, ["x", "c"], ["y"], name="it")
    for model in both_layouts(node, SHAPE, {"c": value}):
        assert_converted(model, {"x": normal(1, *SHAPE)})


@pytest.mark.parametrize("constant", [(3, 1, 1, 1), (5, 1), (6,), (1, 3, 1, 5, 1), (2, 1, 4, 1, 6), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("operator", ["Add", "Less"])
def test_in_five_dimensions_where_the_interpreter_would_abort(operator, constant):
    node = helper.make_node(operator, ["x", "c"], ["y"], name="it")
    shape = [2, 3, 4, 5, 6]
    assert_converted(model_of([node], {"x": shape}, {"c": normal(2, *constant)}), {"x": normal(1, *shape)})
    assert_converted(after_a_convolution([node], shape, {"c": normal(2, *constant)}), {"x": normal(1, *shape)})


def test_a_power_in_five_dimensions():
    nodes = [helper.make_node("Abs", ["x"], ["a"]), helper.make_node("Pow", ["a", "c"], ["y"], name="it")]
    shape = [2, 3, 4, 5, 6]
    model = model_of(nodes, {"x": shape}, {"c": np.array(2.5, np.float32)})
    assert_converted(model, {"x": normal(1, *shape)})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.sampled_from(["Add", "Mul", "Sub", "Max"]),
    st.lists(st.sampled_from([False, True]), min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_two_tensors_are(operator, ones, swapped, both_made):
    other = [1 if one else size for one, size in zip(ones, SHAPE)]
    names = ["other", "x"] if swapped else ["x", "other"]
    feeds = {"x": normal(1, *SHAPE), "other_in": normal(2, *other)}
    constants = {}
    if both_made:
        constants["o"] = normal(4, other[1], other[1], 1, 1)
        first = helper.make_node("Conv", ["other_in", "o"], ["other"], name="s", kernel_shape=[1, 1])
    else:
        first = helper.make_node("Sigmoid", ["other_in"], ["other"], name="s")
    nodes = [first, helper.make_node(operator, names, ["y"], name="it")]
    assert_converted(after_a_convolution(nodes, SHAPE, constants, more_inputs={"other_in": other}), feeds)


def test_a_tensor_of_lower_rank_is():
    node = helper.make_node("Add", ["x", "row"], ["y"], name="it")
    model = after_a_convolution([node], SHAPE, more_inputs={"row": [4, 5]})
    assert_converted(model, {"x": normal(1, *SHAPE), "row": normal(2, 4, 5)})


def test_a_residual_sum_of_two_convolutions_needs_no_transpose_between():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="second", kernel_shape=[1, 1]),
        helper.make_node("Add", ["c", "x"], ["y"], name="sum"),
    ]
    data = assert_converted(after_a_convolution(nodes, SHAPE, {"w": normal(3, 3, 3, 1, 1)}), {"x": normal(1, *SHAPE)})
    # One where the input comes in, one where the output goes out.
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 2, "ADD": 1}


@pytest.mark.parametrize("constant", [(5,), (1, 5), (3, 1), (3, 5)])
@pytest.mark.parametrize("operator", ["Mul", "Div", "Sub"])
def test_a_constant_on_what_a_linear_layer_made(operator, constant):
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], name="linear"),
        helper.make_node(operator, ["h", "c"], ["y"], name="it"),
    ]
    constants = {"w": normal(3, 4, 5), "b": normal(4, 5), "c": abs(normal(2, *constant)) + 0.5}
    assert_converted(model_of(nodes, {"x": [3, 4]}, constants), {"x": normal(1, 3, 4)})


@pytest.mark.parametrize("constant", [(2, 1), (2, 1, 1, 1), (2, 1, 4, 1), (4, 5)])
def test_a_constant_for_each_sample_on_what_has_a_bias(constant):
    # TensorFlow would move one of the first three into the bias, and then refuse it.
    if len(constant) == 2 and constant[1] == 1:
        first = helper.make_node("Gemm", ["x", "w", "b"], ["f"], name="first", transB=1)
        shape, weights = [2, 3], normal(1, 6, 3)
    else:
        first = helper.make_node("Conv", ["x", "w", "b"], ["f"], name="first", kernel_shape=[1, 1])
        shape, weights = [2, 3, 4, 5], normal(1, 6, 3, 1, 1)
    nodes = [first, helper.make_node("Add", ["f", "c"], ["y"], name="it")]
    model = model_of(nodes, {"x": shape}, {"w": weights, "b": normal(2, 6), "c": normal(3, *constant)})
    assert_converted(model, {"x": normal(4, *shape)})
