import numpy as np
import pytest
from onnx import helper

from converted import assert_converted
from ferry.lowering.operators import trigonometry
from ferry.tflite import flatbuffer
from onnx_models import both_layouts, normal

SHAPE = [2, 3, 4, 50]


@pytest.mark.parametrize("operator", sorted(trigonometry.FUNCTIONS))
def test_on_small_and_large_values(operator):
    for scale in (1e-3, 1.0, 20.0):
        x = scale * normal(1, *SHAPE)
        if operator in ("Acos", "Asin", "Atanh"):
            # Near the poles of the last float32 itself is off by more than any tolerance.
            x = np.tanh(x) * (0.9 if operator == "Atanh" else 0.999)
        elif operator == "Acosh":
            x = 1.0 + np.abs(x)
        elif operator == "Tan":
            # Near its poles float32 itself is off by more than any tolerance.
            x = np.clip(x, -1.3, 1.3)
        for model in both_layouts(helper.make_node(operator, ["x"], ["y"]), SHAPE)[:1]:
            data = assert_converted(model, {"x": x.astype(np.float32)})
            assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize(("operator", "ends"), [("Acos", [-1, 1]), ("Asin", [-1, 1]), ("Atan", [-np.inf, np.inf, 0])])
def test_at_the_ends(operator, ends):
    node = helper.make_node(operator, ["x"], ["y"])
    assert_converted(both_layouts(node, [len(ends)])[0], {"x": np.array(ends, np.float32)})


def test_in_channels_last():
    assert_converted(both_layouts(helper.make_node("Atan", ["x"], ["y"]), SHAPE)[1], {"x": normal(1, *SHAPE)})
