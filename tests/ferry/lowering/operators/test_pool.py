import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted, run_graph, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import after_a_convolution, both_layouts, normal


@st.composite
def pools(draw):
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    half = [draw(st.integers(0, size // 2)) for size in kernel]
    return {
        "shape": [draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(4, 9)), draw(st.integers(4, 9))],
        "kernel_shape": kernel,
        "strides": [draw(st.integers(1, 3)), draw(st.integers(1, 3))],
        "pads": half * 2,
    }


def check(operator, case, **attributes):
    shape = case.pop("shape")
    node = helper.make_node(operator, ["x"], ["y"], name="pool", **case, **attributes)
    for model in both_layouts(node, shape):
        assert_converted(model, {"x": normal(1, *shape)})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(pools())
def test_max_pool_is_onnx_runtimes(case):
    check("MaxPool", case)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(pools(), st.integers(0, 1))
def test_average_pool_is_onnx_runtimes(case, count_include_pad):
    check("AveragePool", case, count_include_pad=count_include_pad)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(pools(), st.sampled_from(["MaxPool", "AveragePool"]), st.booleans())
def test_ceil_mode_is_pytorchs(case, operator, count):
    # ONNX Runtime 1.4.0 counts a last window that starts beyond the input, and PyTorch does not.
    kernel, strides, pads = case["kernel_shape"], case["strides"], case["pads"][:2]
    assume(max(strides) > 1)
    # Such a window sees nothing where nothing is padded either.
    assume(all(stride <= size or pad for stride, size, pad in zip(strides, kernel, pads)))
    x = torch.from_numpy(normal(1, *case["shape"]))
    functional = torch.nn.functional
    if operator == "MaxPool":
        expected, attributes = functional.max_pool2d(x, kernel, strides, pads, ceil_mode=True), {}
    else:
        expected = functional.avg_pool2d(x, kernel, strides, pads, ceil_mode=True, count_include_pad=count)
        attributes = {"count_include_pad": int(count)}
    shape = case.pop("shape")
    model = both_layouts(helper.make_node(operator, ["x"], ["y"], ceil_mode=1, **case, **attributes), shape)[0]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    graph_def = convert_onnx.convert(model)
    feeds = {"x": x.numpy()}
    for made in (run_graph(graph_def, feeds)[0], run_tflite(converter.convert(graph_def), feeds)[0]):
        assert made.shape == tuple(expected.shape)
        assert abs(made - expected.numpy()).max() < 1e-5


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
def test_one_dimension(operator):
    check(operator, {"shape": [2, 3, 9], "kernel_shape": [3], "strides": [2], "pads": [1, 1]})


@pytest.mark.parametrize(("operator", "name"), [("MaxPool", "MAX_POOL_2D"), ("AveragePool", "AVERAGE_POOL_2D")])
def test_padding_that_is_same_needs_no_pad(operator, name):
    node = helper.make_node(operator, ["x"], ["y"], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    data = assert_converted(after_a_convolution([node], [1, 3, 8, 8]), {"x": normal(1, 1, 3, 8, 8)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1, name: 1}


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
def test_one_of_single_values_is_nothing(operator):
    node = helper.make_node(operator, ["x"], ["y"], kernel_shape=[1, 1], strides=[1, 1])
    data = assert_converted(after_a_convolution([node], [1, 3, 8, 8]), {"x": normal(1, 1, 3, 8, 8)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1}
