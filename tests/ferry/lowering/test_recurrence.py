import pytest
from onnx import helper

from ferry.lowering import convert_onnx
from ferry.lowering.recurrence import MOST_UNROLLED, Recurrence
from onnx_models import model_of, normal


def stack(steps, layers, direction="forward"):
    count = 2 if direction == "bidirectional" else 1
    nodes = [
        helper.make_node("LSTM", ["x", f"W{index}", f"R{index}"], [f"y{index}"], hidden_size=2, direction=direction)
        for index in range(layers)
    ]
    weights = {f"{name}{index}": normal(1, count, 8, 2) for index in range(layers) for name in "WR"}
    return model_of(nodes, {"x": [steps, 1, 2]}, weights, outputs=[f"y{index}" for index in range(layers)])


def fused(model, choice=""):
    return "PartitionedCall" in {node.op for node in convert_onnx.convert(model, recurrence=Recurrence(choice)).node}


@pytest.mark.parametrize("layers, direction", [(1, "forward"), (2, "reverse"), (1, "bidirectional")])
def test_from_a_number_of_steps_times_layers_on_it_is_fused(layers, direction):
    times = layers * (2 if direction == "bidirectional" else 1)
    assert not fused(stack(MOST_UNROLLED // times, layers, direction))
    assert fused(stack(MOST_UNROLLED // times + 1, layers, direction))


def test_what_the_user_chose_counts():
    assert fused(stack(2, 1), "fused")
    assert not fused(stack(MOST_UNROLLED + 1, 1), "unrolled")
