import pytest
from onnx import helper

from converted import assert_converted
from ferry.lowering.operators import unary
from onnx_models import both_layouts, normal

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
