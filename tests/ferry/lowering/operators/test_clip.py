import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal

LIMITS = st.one_of(st.none(), st.floats(-2, 2, width=32))


def clip_model(low, high, opset):
    if opset >= 11:
        constants = {name: np.float32(value) for name, value in (("low", low), ("high", high)) if value is not None}
        inputs = ["x", "low" if low is not None else "", "high" if high is not None else ""]
        node = helper.make_node("Clip", inputs, ["y"], name="clip")
        return model_of([node], {"x": [2, 3, 4, 4]}, {name: np.array(value) for name, value in constants.items()})
    limits = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    return model_of([helper.make_node("Clip", ["x"], ["y"], name="clip", **limits)], {"x": [2, 3, 4, 4]}, opset=opset)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(LIMITS, LIMITS, st.sampled_from([10, 11]))
def test_it_computes_what_onnx_runtime_does(low, high, opset):
    if low is not None and high is not None and low > high:
        low, high = high, low
    assert_converted(clip_model(low, high, opset), {"x": 3 * normal(1, 2, 3, 4, 4)})


@pytest.mark.parametrize(("limits", "operator"), [((0.0, 6.0), "RELU6"), ((0.0, None), "RELU")])
def test_the_limits_of_an_activation_make_it_one(limits, operator):
    data = assert_converted(clip_model(*limits, 11), {"x": 5 * normal(1, 2, 3, 4, 4)})
    assert flatbuffer.operators(data) == {operator: 1}
