"""Transposed convolutions have a step for each channel: TF 2.4's kernel computes the first alone without them."""

import numpy as np
import tensorflow as tf

from ferry.tflite import with_outputs
from ferry.tflite.quantize import int8_model, transpose_conv_steps
from ferry.tflite.quantize.skip import Skip
from onnx_models import normal

SHAPE = [1, 6, 6, 8]


def samples():
    return ([normal(place, *SHAPE)] for place in range(10))


def floating():
    weights = tf.constant(normal(3, 2, 2, 4, 8) * np.array([1, 0.1, 3, 0], np.float32)[:, None])
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, SHAPE, name="x")
        made = tf.nn.conv2d_transpose(x, weights.numpy(), [1, 12, 12, 4], 2, "VALID") + normal(4, 4)
        tf.identity(made, name="y")
    return with_outputs.convert(graph.as_graph_def())


def channels(data, array):
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].reshape(-1, 4)


def test_every_channel_is_computed():
    data = floating()
    made = int8_model.made(data, samples, Skip(""), integer_io=False).data
    array = normal(50, *SHAPE)
    wanted, found = channels(data, array), channels(made, array)
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()


def test_the_kernel_still_needs_it(monkeypatch):
    monkeypatch.setattr(transpose_conv_steps, "give_each_channel_its_own", lambda model, floating: None)
    data = floating()
    made = int8_model.made(data, samples, Skip(""), integer_io=False).data
    array = normal(50, *SHAPE)
    wanted, found = channels(data, array), channels(made, array)
    assert np.abs(found - wanted)[:, 2].max() > 0.2 * np.abs(wanted[:, 2]).max()
