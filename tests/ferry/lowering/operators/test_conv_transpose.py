import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from onnx_models import both_layouts, normal


@st.composite
def transposed(draw):
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    strides = [draw(st.integers(1, 3)), draw(st.integers(1, 3))]
    group = draw(st.sampled_from([1, 1, 2]))
    return {
        "shape": [
            draw(st.integers(1, 2)),
            2 * draw(st.integers(1, 2)),
            draw(st.integers(2, 5)),
            draw(st.integers(2, 5)),
        ],
        "filters": draw(st.integers(1, 3)),
        "kernel_shape": kernel,
        "strides": strides,
        "pads": [draw(st.integers(0, size - 1)) for size in kernel] * 2,
        "output_padding": [draw(st.integers(0, stride - 1)) for stride in strides],
        "group": group,
        "bias": draw(st.booleans()),
    }


@settings(max_examples=40, deadline=None, derandomize=True)
@given(transposed())
def test_it_computes_what_onnx_runtime_does(case):
    shape, filters, bias = case.pop("shape"), case.pop("filters"), case.pop("bias")
    for size, kernel, stride, pad, extra in zip(
        shape[2:], case["kernel_shape"], case["strides"], case["pads"], case["output_padding"]
    ):
        assume(stride * (size - 1) + kernel + extra > 2 * pad)
    constants = {"w": normal(2, shape[1], filters, *case["kernel_shape"])}
    if bias:
        constants["b"] = normal(3, filters * case["group"])
    node = helper.make_node("ConvTranspose", ["x", *constants], ["y"], name="up", **case)
    for model in both_layouts(node, shape, constants):
        assert_converted(model, {"x": normal(1, *shape)})


@pytest.mark.parametrize("stride", [1, 2])
def test_one_dimension(stride):
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], kernel_shape=[4], strides=[stride], pads=[1, 1])
    for model in both_layouts(node, [1, 3, 5], {"w": normal(2, 3, 2, 4)}):
        assert_converted(model, {"x": normal(1, 1, 3, 5)})
