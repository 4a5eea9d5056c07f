import copy

import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.lowering.operators import unary
from ferry.tflite import flatbuffer
from onnx_models import after_a_convolution, both_layouts, normal

ATTRIBUTES = {
    "LeakyRelu": {"alpha": 0.3},
    "HardSigmoid": {"alpha": 0.1, "beta": 0.4},
    "Elu": {"alpha": 1.5},
}


@pytest.mark.parametrize("attributes", [False, True])
@pytest.mark.parametrize("operator", sorted(unary.FUNCTIONS))
def test_it_computes_what_onnx_runtime_does(operator, attributes):
    given = ATTRIBUTES.get(operator, {}) if attributes else {}
    positive = operator in ("Log", "Sqrt")
    # A logarithm of what a convolution made is not a number half of the time.
    shape = [2, 3] if positive else [1, 3, 4, 5]
    node = helper.make_node(operator, ["x"], ["y"], name="it", **given)
    x = normal(1, *shape)
    for model in both_layouts(node, shape):
        assert_converted(model, {"x": abs(x) + 0.1 if positive else x})


HARD_SWISH = {
    "by HardSigmoid": [
        helper.make_node("HardSigmoid", ["x"], ["h"], alpha=1 / 6, beta=0.5),
        helper.make_node("Mul", ["x", "h"], ["y"]),
    ],
    "x * (relu6(x + 3) / 6)": [
        helper.make_node("Add", ["x", "three"], ["a"]),
        helper.make_node("Clip", ["a", "zero", "six"], ["r"]),
        helper.make_node("Div", ["r", "six"], ["d"]),
        helper.make_node("Mul", ["x", "d"], ["y"]),
    ],
}


@pytest.mark.parametrize("form", sorted(HARD_SWISH))
def test_hard_swish_is_one_operator(form):
    constants = {name: np.array(value, np.float32) for name, value in (("three", 3), ("zero", 0), ("six", 6))}
    model = after_a_convolution(copy.deepcopy(HARD_SWISH[form]), [1, 3, 4, 5], constants)
    data = assert_converted(model, {"x": 4 * normal(1, 1, 3, 4, 5)})
    assert flatbuffer.operators(data) == {"TRANSPOSE": 2, "CONV_2D": 1, "HARD_SWISH": 1}
