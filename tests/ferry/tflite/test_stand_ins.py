"""The file that is converted with stand-ins for the weights is the one that is converted with the weights."""

import io

import numpy as np
import pytest
import tensorflow as tf

from ferry.frozen import frozen_graph, light_graph
from ferry.tflite import converter, stand_ins
from onnx_models import normal


@pytest.fixture(autouse=True)
def for_small_models(monkeypatch):
    monkeypatch.setattr(stand_ins, "FEWEST_BYTES", 1)


def light_of(build, *shape):
    with tf.Graph().as_default() as graph:
        tf.identity(build(tf.compat.v1.placeholder(tf.float32, shape, name="x")), name="y")
    data = frozen_graph.to_bytes(graph.as_graph_def())
    return light_graph.read(io.BytesIO(data), len(data))


def dense(x, seed, size, transposed=True):
    shape = (size, x.shape[-1]) if transposed else (x.shape[-1], size)
    return tf.nn.bias_add(tf.matmul(x, normal(seed, *shape), transpose_b=transposed), normal(seed + 1, size))


def attention(x):
    queries, keys = dense(tf.reshape(x, [20, 256]), 1, 256), dense(tf.reshape(x, [20, 256]), 3, 256)
    heads = [tf.transpose(tf.reshape(each, [20, 4, 64]), [1, 0, 2]) for each in (queries, keys)]
    return tf.matmul(heads[0], heads[1], transpose_b=True)


def tied(x):
    table = tf.constant(normal(1, 500, 64))
    found = tf.gather(table, tf.cast(x, tf.int32))
    return tf.matmul(tf.reshape(found, [7, 64]), table, transpose_b=True)


def dilated(x):
    return tf.nn.depthwise_conv2d(x, normal(1, 3, 3, 512, 4), [1, 1, 1, 1], "SAME", dilations=[2, 2])


def depthwise(x):
    return tf.nn.depthwise_conv2d(x, normal(1, 3, 3, 2048, 1), [1, 2, 2, 1], "SAME")


def transposed_convolution(x):
    return tf.nn.conv2d_transpose(x, normal(1, 3, 3, 40, 512), [1, 16, 16, 40], 2, "SAME")


CASES = {
    "matrix": (lambda x: tf.nn.relu(dense(x, 1, 300)), (2, 200), 1),
    "matrix as it lies": (lambda x: dense(x, 1, 200, transposed=False), (2, 200), 1),
    "square": (lambda x: dense(dense(x, 1, 200, transposed=False), 3, 200), (2, 200), 2),
    "convolution": (lambda x: tf.nn.conv2d(x, normal(1, 3, 3, 64, 64), 2, "SAME"), (1, 9, 9, 64), 1),
    "dilated": (lambda x: tf.nn.conv2d(x, normal(1, 3, 3, 64, 64), 1, "VALID", dilations=2), (1, 9, 9, 64), 1),
    "one by one": (lambda x: tf.nn.conv2d(x, normal(1, 1, 1, 256, 256), 1, "VALID"), (1, 1, 1, 256), 1),
    "depthwise": (depthwise, (1, 9, 9, 2048), 1),
    "depthwise dilated": (dilated, (1, 9, 9, 512), 1),
    "transposed convolution": (transposed_convolution, (1, 8, 8, 512), 1),
    "attention": (attention, (1, 20, 256), 2),
    "tied": (tied, (7,), 1),
    "three dimensions": (lambda x: tf.nn.conv3d(x, normal(1, 3, 3, 3, 32, 32), [1] * 5, "SAME"), (1, 4, 4, 4, 32), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_bytes_are_the_same(name):
    build, shape, count = CASES[name]
    light = light_of(build, *shape)
    assert len(stand_ins.chosen(light)) == count
    made = converter.convert_light(light)
    assert len(stand_ins.find_marked(made.data, made.stand_ins)) == count
    assert b"".join(map(bytes, made.pieces())) == converter.convert(light.whole())


COMPUTED_WITH = {
    # The converter multiplies the weights by what the result is multiplied by.
    "factor behind": lambda x: tf.nn.conv2d(x, normal(1, 3, 3, 64, 64), 1, "SAME") * normal(2, 64),
    # It adds to the bias what the weights make of the constant.
    "sum before": lambda x: tf.nn.bias_add(tf.nn.conv2d(x + 2.0, normal(1, 3, 3, 64, 64), 1, "VALID"), normal(2, 64)),
    # Two matrices of one batch become one constant.
    "stacked": lambda x: tf.stack([tf.matmul(tf.reshape(x, [81, 64]), normal(seed, 64, 256)) for seed in (1, 2)]),
}


@pytest.mark.parametrize("name", COMPUTED_WITH)
def test_weights_that_the_converter_computes_with_are_given_to_it(name):
    light = light_of(COMPUTED_WITH[name], 1, 9, 9, 64)
    assert stand_ins.chosen(light)
    made = converter.convert_light(light)
    assert b"".join(map(bytes, made.pieces())) == converter.convert(light.whole())


def test_a_weight_that_is_read_in_two_ways_has_none():
    def build(x):
        w = tf.constant(normal(1, 200, 200))
        return tf.matmul(tf.matmul(x, w), w, transpose_b=True)

    assert stand_ins.chosen(light_of(build, 2, 200)) == {}


def test_one_that_was_computed_from_a_stand_in_is_found():
    light = light_of(CASES["matrix"][0], 2, 200)
    given = stand_ins.chosen(light)
    runs = [converter._converted(stand_ins.graph_with(light, given, negative), True) for negative in (False, True)]
    made = converter.converted_model.from_run(runs[0], given)
    assert made.agrees(runs[1])
    bias = np.frombuffer(runs[1], np.float32, 300, runs[1].index(normal(2, 300).tobytes()))
    changed = runs[1].replace(bias.tobytes(), (bias + 1).tobytes())
    assert not made.agrees(changed)


def test_with_few_weights_the_converter_is_given_them(monkeypatch):
    monkeypatch.setattr(stand_ins, "FEWEST_BYTES", 200 * 300 * 4 + 1)
    assert stand_ins.chosen(light_of(CASES["matrix"][0], 2, 200)) == {}
