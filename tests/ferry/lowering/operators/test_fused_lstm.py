"""An LSTM as TFLite's one operator, which keeps its states: each call has to start from the model's own."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.frozen import frozen_graph
from ferry.lowering import convert_onnx
from ferry.lowering.recurrence import Recurrence
from ferry.tflite import converter, flatbuffer
from onnx_models import model_of, normal

HIDDEN, FEATURES = 4, 3
FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def lstm(direction="forward", steps=5, batch=1, hidden=0.0, cell=0.0, fed=(), outputs=3, scale=1.0, **attributes):
    count = 2 if direction == "bidirectional" else 1
    made = {
        "W": scale * normal(2, count, 4 * HIDDEN, FEATURES),
        "R": scale * normal(3, count, 4 * HIDDEN, HIDDEN),
        "B": scale * normal(4, count, 8 * HIDDEN),
        "initial_h": hidden * np.tanh(normal(5, count, batch, HIDDEN)),
        "initial_c": cell * normal(6, count, batch, HIDDEN),
    }
    made = {name: array.astype(np.float32) for name, array in made.items()}
    names = ["y", "h", "c"][:outputs]
    inputs = ["x", "W", "R", "B", "", "initial_h", "initial_c"]
    node = helper.make_node("LSTM", inputs, names, "the_lstm", hidden_size=HIDDEN, direction=direction, **attributes)
    feeds = {"x": normal(1, steps, batch, FEATURES), **{name: made.pop(name) for name in fed}}
    return model_of([node], {name: list(array.shape) for name, array in feeds.items()}, made, outputs=names), feeds


def fused(model, feeds, count=1):
    recurrence = Recurrence("fused")
    data = assert_converted(model, feeds, recurrence)
    operators = flatbuffer.operators(data)
    assert operators[FUSED] == count and not flatbuffer.flex_operators(operators) and not recurrence.unrolled
    return data


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from(["forward", "reverse", "bidirectional"]),
    st.tuples(st.integers(1, 9), st.integers(1, 3)),
    st.sampled_from([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 3.0)]),
)
def test_as_onnx_runtime(direction, shape, states):
    model, feeds = lstm(direction, *shape, *states)
    fused(model, feeds, 2 if direction == "bidirectional" else 1)


def test_a_hidden_state_from_outside():
    fused(*lstm("bidirectional", batch=2, hidden=1.0, cell=0.5, fed=["initial_h"]), count=2)


@pytest.mark.parametrize("states", [(0.0, 0.0), (1.0, 2.0)])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_a_call_knows_nothing_of_the_one_before(states, scale):
    model, feeds = lstm("bidirectional", 7, 2, *states, scale=scale)
    data = converter.convert(convert_onnx.convert(model, recurrence=Recurrence("fused")))
    assert flatbuffer.operators(data)[FUSED] == 2
    used = opened(data)
    for seed in range(3):
        x = 10**seed * normal(seed, *feeds["x"].shape)
        for again, alone in zip(called(used, x), called(opened(data), x)):
            np.testing.assert_array_equal(again, alone)


def opened(data):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    return interpreter


def called(interpreter, x):
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


@pytest.mark.parametrize(
    "made, reason",
    [
        (lstm(cell=1.0, fed=["initial_c"]), "the cell state that it starts from is computed"),
        (lstm(cell=40.0), "the cell state that it starts from is beyond 9.6"),
        (lstm(activations=["Sigmoid", "Relu", "Tanh"]), "other activations than sigmoid and tanh"),
        (lstm(input_forget=1), "coupled gates"),
    ],
)
def test_what_the_operator_does_not_compute_is_unrolled(made, reason):
    recurrence = Recurrence("fused")
    data = assert_converted(*made, recurrence)
    assert FUSED not in flatbuffer.operators(data)
    assert reason in recurrence.unrolled["the_lstm"]


@pytest.mark.parametrize("operator, gates", [("GRU", 3), ("RNN", 1)])
def test_gru_and_rnn_are_unrolled(operator, gates):
    node = helper.make_node(operator, ["x", "W", "R"], ["y"], hidden_size=HIDDEN)
    weights = {"W": normal(2, 1, gates * HIDDEN, FEATURES), "R": normal(3, 1, gates * HIDDEN, HIDDEN)}
    model = model_of([node], {"x": [5, 1, FEATURES]}, weights)
    recurrence = Recurrence("fused")
    convert_onnx.convert(model, recurrence=recurrence)
    assert recurrence.unrolled == {"y": "TFLite has a fused operator for LSTM alone"}


def test_the_same_model_is_the_same_bytes():
    model, _ = lstm("bidirectional")
    made = [frozen_graph.to_bytes(convert_onnx.convert(model, recurrence=Recurrence("fused"))) for _ in range(2)]
    assert made[0] == made[1]
