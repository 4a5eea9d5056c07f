import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
from onnx_models import model_of, normal

STEPS, BATCH, FEATURES, HIDDEN = 4, 2, 5, 3
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def check(operator, direction="forward", roles=("B",), lengths=None, outputs=3, shape=None, fed=(), **attributes):
    steps, batch, features = shape or (STEPS, BATCH, FEATURES)
    count, gates = (2 if direction == "bidirectional" else 1), GATES[operator]
    made = {
        "W": normal(2, count, gates * HIDDEN, features),
        "R": normal(3, count, gates * HIDDEN, HIDDEN),
        "B": normal(4, count, 2 * gates * HIDDEN),
        "sequence_lens": None if lengths is None else np.array(lengths, np.int32),
        "initial_h": normal(5, count, batch, HIDDEN),
        "initial_c": normal(6, count, batch, HIDDEN),
        "P": normal(7, count, 3 * HIDDEN),
    }
    kept = {"W", "R", *roles, *(["sequence_lens"] if lengths is not None else [])}
    inputs = [name if name in kept else "" for name in made]
    while not inputs[-1]:
        inputs.pop()
    names = ["y", "h", "c"][: min(outputs, 3 if operator == "LSTM" else 2)]
    node = helper.make_node(operator, ["x", *inputs], names, hidden_size=HIDDEN, direction=direction, **attributes)
    constants = {name: made[name] for name in kept if name not in fed}
    feeds = {"x": normal(1, steps, batch, features), **{name: made[name] for name in fed}}
    model = model_of([node], {name: list(array.shape) for name, array in feeds.items()}, constants, outputs=names)
    data = assert_converted(model, feeds)
    assert not flatbuffer.flex_operators(flatbuffer.operators(data))
    return data


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(["LSTM", "GRU", "RNN"]),
    st.sampled_from(["forward", "reverse", "bidirectional"]),
    st.sampled_from([(), ("B",), ("B", "initial_h")]),
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 4)),
    st.booleans(),
)
def test_as_onnx_runtime(operator, direction, roles, shape, after_product):
    attributes = {"linear_before_reset": int(after_product)} if operator == "GRU" else {}
    if operator == "LSTM" and "initial_h" in roles:
        roles = (*roles, "initial_c")
    check(operator, direction, roles, shape=shape, **attributes)


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
def test_with_a_state_from_outside(operator):
    fed = ("initial_h", "initial_c") if operator == "LSTM" else ("initial_h",)
    check(operator, "bidirectional", ("B", *fed), fed=fed)


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_with_lengths(operator, direction):
    check(operator, direction, lengths=[2, 4])


def test_peepholes():
    check("LSTM", roles=("B", "P"))


def test_rnn_with_relu():
    check("RNN", activations=["Relu"])


def test_each_weight_is_in_the_file_once():
    few = check("LSTM", shape=(2, 1, 5), outputs=1)
    many = check("LSTM", shape=(12, 1, 5), outputs=1)
    weights = 4 * (GATES["LSTM"] * HIDDEN * HIDDEN)
    # Ten further steps are ten times the operators, and not one more copy of R.
    assert count_of_size(few, weights) == count_of_size(many, weights) == 1


def count_of_size(data, size):
    import tflite

    model = tflite.Model.GetRootAsModel(data, 0)
    return sum(model.Buffers(position).DataLength() == size for position in range(model.BuffersLength()))
