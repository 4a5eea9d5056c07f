import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal


@st.composite
def convolutions(draw):
    kernel = [draw(st.integers(1, 4)), draw(st.integers(1, 4))]
    dilation = draw(st.sampled_from([1, 1, 2]))
    depthwise = draw(st.booleans())
    channels = draw(st.integers(1, 5))
    return {
        "shape": [draw(st.integers(1, 2)), channels, draw(st.integers(4, 11)), draw(st.integers(4, 11))],
        "kernel": kernel,
        "strides": draw(st.sampled_from([[1, 1], [2, 2], [1, 2], [3, 3]])),
        "dilations": [dilation, dilation],
        "pads": draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)),
        "group": channels if depthwise else 1,
        "filters": channels * draw(st.integers(1, 3)) if depthwise else draw(st.integers(1, 6)),
        "bias": draw(st.booleans()),
    }


def conv_model(case):
    per_group = case["shape"][1] // case["group"]
    constants = {"w": normal(1, case["filters"], per_group, *case["kernel"])}
    if case["bias"]:
        constants["b"] = normal(2, case["filters"])
    node = helper.make_node(
        "Conv", ["x", *constants], ["y"], name="conv", kernel_shape=case["kernel"], strides=case["strides"],
        dilations=case["dilations"], pads=case["pads"], group=case["group"],
    )  # fmt: skip
    return model_of([node], {"x": case["shape"]}, constants)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions())
def test_it_computes_what_onnx_runtime_does(case):
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(case["kernel"], case["dilations"])]
    padded = [case["shape"][2 + axis] + case["pads"][axis] + case["pads"][2 + axis] for axis in (0, 1)]
    assume(all(size >= needed for size, needed in zip(padded, reach)))
    assert_converted(conv_model(case), {"x": normal(3, *case["shape"])})


def case_of(**changes):
    case = {
        "shape": [1, 8, 12, 12], "kernel": [3, 3], "strides": [1, 1], "dilations": [1, 1], "pads": [1, 1, 1, 1],
        "group": 1, "filters": 4, "bias": True,
    }  # fmt: skip
    case.update(changes)
    return case


def operators_of(case):
    data = assert_converted(conv_model(case), {"x": normal(3, *case["shape"])})
    return {name: count for name, count in flatbuffer.operators(data).items() if name != "TRANSPOSE"}


def test_a_depthwise_convolution_is_one_operator():
    assert operators_of(case_of(group=8, filters=8)) == {"DEPTHWISE_CONV_2D": 1}


def test_so_is_one_with_a_multiplier():
    assert operators_of(case_of(group=8, filters=16)) == {"DEPTHWISE_CONV_2D": 1}


def test_symmetric_padding_at_stride_1_is_same():
    assert operators_of(case_of()) == {"CONV_2D": 1}


def test_padding_that_same_would_place_elsewhere_stays_a_pad():
    # At stride 2 on an even size TensorFlow pads 0 before and 1 after; PyTorch pads 1 and 1.
    assert operators_of(case_of(strides=[2, 2])) == {"PAD": 1, "CONV_2D": 1}


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_automatic_padding(auto_pad, stride):
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], name="conv", kernel_shape=[2, 3], strides=[stride, stride], auto_pad=auto_pad
    )
    model = model_of([node], {"x": [1, 2, 7, 8]}, {"w": normal(1, 3, 2, 2, 3)})
    assert_converted(model, {"x": normal(2, 1, 2, 7, 8)})


def test_a_dilated_depthwise_convolution_is_one_operator():
    assert operators_of(case_of(group=8, filters=8, dilations=[2, 2], pads=[2, 2, 2, 2])) == {"DEPTHWISE_CONV_2D": 1}


def test_a_grouped_convolution_that_is_not_depthwise_is_right():
    case = case_of(group=2, filters=4)
    data = assert_converted(conv_model(case), {"x": normal(3, *case["shape"])})
    assert flatbuffer.operators(data)["CONV_2D"] == 2


def test_a_one_dimensional_convolution_is_right():
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", kernel_shape=[3], pads=[1, 1])
    model = model_of([node], {"x": [1, 4, 10]}, {"w": normal(1, 6, 4, 3)})
    assert_converted(model, {"x": normal(2, 1, 4, 10)})
