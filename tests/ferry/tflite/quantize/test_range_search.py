"""A range is cut where the outputs gain by it, and nowhere else."""

import numpy as np
import tensorflow as tf

from ferry.tflite import with_outputs
from ferry.tflite.editable import EditableModel
from ferry.tflite.quantize import float_run, int8_model, range_search
from onnx_models import normal


def samples():
    for place in range(12):
        array = normal(place, 1, 32)
        # One of many inputs is far from all others.
        array[0, 5] = 60.0 if place % 2 else -60.0
        yield [array]


def ranges(build, tried=samples):
    """The ranges that are measured of a model, and those to be used, by the tensors' names."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 32], name="x")
        tf.identity(build(x), name="y")
    data = with_outputs.convert(graph.as_graph_def())
    measured = int8_model._measured(float_run.observe(data, tried()))
    used = range_search.cut_ranges(data, measured, tried, set())
    model = EditableModel(data)
    return [{model.name(tensor): found for tensor, found in each.items()} for each in (measured, used)]


def weights(extreme):
    """A layer that leaves its inputs as they are, and one that multiplies the extreme one by ``extreme``."""
    second = normal(3, 32, 8) / 6.0
    second[5] *= extreme
    return second


def test_an_extreme_value_that_hardly_counts_is_clipped():
    measured, used = ranges(lambda x: tf.matmul(tf.abs(x, name="middle"), weights(1e-4)))
    assert used["middle"].high < 0.5 * measured["middle"].high
    assert used["x"] == measured["x"]
    assert used["y"] == measured["y"]


def test_one_that_counts_is_not():
    measured, used = ranges(lambda x: tf.matmul(tf.abs(x, name="middle"), weights(1.0)))
    assert used["middle"].high > 0.8 * measured["middle"].high


def test_what_is_moved_has_the_range_of_what_it_is_moved_from():
    def build(x):
        middle = tf.reshape(tf.abs(x, name="middle"), [2, 16])
        return tf.matmul(tf.reshape(tf.transpose(middle, name="moved"), [1, 32]), weights(1.0))

    _, used = ranges(build)
    assert used["moved"] == used["middle"]


def test_what_is_joined_is_left_alone():
    measured, used = ranges(
        lambda x: tf.matmul(tf.concat([tf.abs(x, name="middle"), x], 1, name="all"), normal(3, 64, 8) * 1e-3)
    )
    assert used["middle"] == measured["middle"]


def test_a_network_too_large_to_be_tried_in_a_minute_keeps_its_ranges(monkeypatch):
    monkeypatch.setattr(range_search, "BUDGET", 1.0)
    measured, used = ranges(lambda x: tf.matmul(tf.abs(x, name="middle"), weights(1e-4)))
    assert used == measured
    np.testing.assert_equal(used["middle"], measured["middle"])
