"""What TensorFlow's converter would lose in halves stays in float, and is told."""

import numpy as np
import pytest
import tensorflow as tf

from ferry.errors import UnsupportedModelError
from ferry.tflite import with_outputs
from ferry.tflite.quantize import float_model, small_weights
from ferry.tflite.quantize.skip import Skip
from onnx_models import normal


def quantized(build, weights="float16", skip=""):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 64], name="x")
        tf.identity(build(x), name="y")
    graph_def = graph.as_graph_def()
    return small_weights.made(graph_def, with_outputs.convert(graph_def), weights, Skip(skip))


def result(data, array):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize(("constant", "reason"), [(1e-12, "few digits for values as small"), (1e6, "float16 holds no")])
def test_what_a_half_cannot_hold_stays_in_float(constant, reason):
    weights = normal(1, 64, 64)
    made = quantized(lambda x: (tf.matmul(x, weights) * 1e-3 + tf.constant(constant, tf.float32)) * 2.0)
    assert any(reason in each.reason for each in made.in_float)
    assert np.isfinite(result(made.data, np.zeros((1, 64), np.float32))).all()
    np.testing.assert_allclose(result(made.data, np.zeros((1, 64), np.float32)), 2 * constant, rtol=1e-3)


def test_a_layer_is_skipped_by_its_name_alone():
    first, second = (normal(seed, 64, 64) for seed in (1, 2))

    def build(x):
        return tf.matmul(tf.matmul(x, first, name="one"), second, name="two")

    assert quantized(build, "dynamic").in_float == []
    made = quantized(build, "dynamic", "one*")
    assert [each.output[:3] for each in made.in_float] == ["one"]
    assert made.constants == 1


def test_a_model_with_a_loop_is_refused_in_one_line(monkeypatch):
    def of_two_subgraphs(_data):
        raise ValueError("a model of 2 subgraphs")

    monkeypatch.setattr(float_model, "EditableModel", of_two_subgraphs)
    with pytest.raises(UnsupportedModelError, match="a loop or a condition"):
        quantized(lambda x: x * 2.0)


def test_a_dilated_convolution_keeps_float_weights_beside_float_activations(monkeypatch):
    weights, other = normal(1, 3, 3, 16, 32), normal(2, 64, 64)

    def build(x):
        image = tf.reshape(tf.matmul(x, other), [1, 2, 2, 16])
        image = tf.pad(image, [[0, 0], [4, 4], [4, 4], [0, 0]])
        return tf.nn.conv2d(image, weights, 1, "VALID", dilations=2)

    def shares():
        made = quantized(build, "dynamic")
        wanted, found = (result(data, normal(9, 1, 64)) for data in (quantized(build, "float16").data, made.data))
        return made, np.abs(found - wanted).mean() / np.abs(wanted).mean()

    made, share = shares()
    assert share < 0.05 and "does not dilate" in made.in_float[0].reason
    # TF 2.4's kernel still needs it.
    monkeypatch.setattr(small_weights, "_dilated", lambda operator, held: "")
    assert shares()[1] > 0.2
