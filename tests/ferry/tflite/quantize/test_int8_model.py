"""What TensorFlow's quantizer alone makes a file of that no runtime loads, or that is far off, comes out right."""

import numpy as np
import pytest
import tensorflow as tf

from ferry.errors import UnsupportedModelError
from ferry.tflite import flatbuffer, usable, with_outputs
from ferry.tflite.editable import EditableModel
from ferry.tflite.quantize import float_operators, int8_model, ready
from ferry.tflite.quantize.skip import Skip
from onnx_models import normal

VECTORS = [1, 64]
IMAGES = [1, 12, 12, 8]


def samples(shape, seed=0):
    return lambda: ([normal(seed + place, *shape)] for place in range(10))


def floating(build, shape):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, shape, name="x")
        tf.identity(build(x), name="y")
    return with_outputs.convert(graph.as_graph_def())


def run(data, array):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def decibels(data, made, shape):
    """The ratio of the output to its error, on inputs that are none of calibration's."""
    pairs = [(run(data, array), run(made, array)) for (array,) in samples(shape, 100)()]
    wanted, error = sum((w**2).sum() for w, _ in pairs), sum(((w - m) ** 2).sum() for w, m in pairs)
    return 10 * np.log10(wanted / error)


def quantized(build, shape, skip=""):
    data = floating(build, shape)
    made = int8_model.made(data, samples(shape), Skip(skip), integer_io=False)
    usable.refuse_what_does_not_run(made.data)
    return data, made


def reasons(made):
    return {(each.operator, each.reason) for each in made.in_float}


def layer(x, seed, bias):
    return tf.nn.relu(tf.matmul(x, normal(seed, 64, 64) / 8.0) + bias)


BIAS = normal(5, 64)


@pytest.mark.parametrize("bias", [np.zeros(64, np.float32), BIAS], ids=["zeros", "values"])
def test_layers_that_share_a_bias_load(bias):
    data, made = quantized(lambda x: layer(layer(x, 1, bias), 2, bias) * 3.0 + bias, VECTORS)
    assert decibels(data, made.data, VECTORS) > 25


def test_the_quantizer_still_needs_constants_of_their_own(monkeypatch):
    monkeypatch.setattr(ready, "constants_of_their_own", lambda model: None)
    with pytest.raises(UnsupportedModelError, match="cannot prepare"):
        quantized(lambda x: layer(layer(x, 1, BIAS), 2, BIAS) * 3.0 + BIAS, VECTORS)


def test_a_maximum_over_a_border_of_infinity_loads():
    def build(x):
        convolved = tf.nn.conv2d(x, normal(1, 3, 3, 8, 8) / 9.0, 1, "SAME")
        padded = tf.pad(convolved, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-np.inf)
        return tf.nn.max_pool2d(padded, 3, 2, "VALID")

    data, made = quantized(build, IMAGES)
    assert "PADV2" in flatbuffer.operators(data)
    assert made.in_float == []
    assert decibels(data, made.data, IMAGES) > 25


def norm(x):
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(centred * centred, -1, keepdims=True) + 1e-5)


def test_a_variance_stays_in_float_and_is_listed():
    def build(x):
        return tf.matmul(norm(tf.matmul(x, normal(1, 64, 64)) * 100.0), normal(2, 64, 64) / 8.0)

    data, made = quantized(build, VECTORS)
    assert reasons(made) == {(kind, float_operators.VARIANCE) for kind in ("MEAN", "SUB", "MUL", "ADD", "RSQRT")}
    assert decibels(data, made.data, VECTORS) > 25


def test_a_recurrent_layer_has_int8_weights_alone():
    weights, recurrent = normal(1, 64, 64) / 8.0, normal(2, 64, 64) / 8.0

    def build(x):
        state = tf.tanh(tf.matmul(x, weights))
        for _ in range(4):
            state = tf.tanh(tf.matmul(state, recurrent) + state)
        return tf.matmul(state, normal(3, 64, 64) / 8.0)

    data, made = quantized(build, VECTORS)
    assert {reason for _, reason in reasons(made)} == {float_operators.RECURRENT}
    assert len(made.data) < 0.5 * len(data)
    assert decibels(data, made.data, VECTORS) > 25


def test_scores_that_are_masked_stay_in_float():
    mask = np.where(np.arange(64) < 32, 0, -1e9).astype(np.float32)
    data, made = quantized(
        lambda x: tf.matmul(tf.nn.softmax(tf.matmul(x, normal(1, 64, 64) / 8.0) + mask), normal(2, 64, 64)), VECTORS
    )
    assert ("SOFTMAX", float_operators.INFINITE) in reasons(made)
    assert decibels(data, made.data, VECTORS) > 25


def test_an_operator_without_an_int8_form_is_listed():
    _, made = quantized(lambda x: tf.matmul(tf.sin(tf.matmul(x, normal(1, 64, 64) / 8.0)), normal(2, 64, 64)), VECTORS)
    assert [each.operator for each in made.in_float] == ["SIN"]


def test_what_is_skipped_is_in_float_between_its_neighbours_in_int8():
    data, made = quantized(lambda x: layer(layer(x, 1, normal(3, 64)), 2, normal(4, 64)) * 2.0, VECTORS, "MUL")
    assert reasons(made) == {("MUL", "SKIP=MUL")}
    counts = flatbuffer.operators(made.data)
    # The product is the model's output: nothing is quantized after it.
    assert (counts["QUANTIZE"], counts["DEQUANTIZE"]) == (1, 1)
    assert decibels(data, made.data, VECTORS) > 25


def test_a_fused_recurrent_layer_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(int8_model.flatbuffer, "operators", lambda data: {"UNIDIRECTIONAL_SEQUENCE_LSTM": 1})
    with pytest.raises(UnsupportedModelError, match="RECURRENT=unrolled"):
        int8_model.made(b"", samples(VECTORS), Skip(""), integer_io=False)


def test_skipping_all_is_refused():
    with pytest.raises(UnsupportedModelError, match="nothing to quantize"):
        quantized(lambda x: layer(x, 1, normal(3, 64)), VECTORS, "*")


def test_the_names_of_inputs_and_outputs_stay():
    data, made = quantized(lambda x: layer(x, 1, normal(3, 64)), VECTORS)
    assert flatbuffer.interface(made.data) == flatbuffer.interface(data)
    assert EditableModel(made.data).inputs == [0]
