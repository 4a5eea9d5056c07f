import numpy as np
import tensorflow as tf
from onnx import helper

from converted import run_graph
from ferry.frozen import frozen_graph
from ferry.frozen.share_constants import share_constants
from ferry.lowering import convert_onnx
from ferry.tflite import converter
from onnx_models import model_of, normal


def constants_in(graph_def):
    return [node for node in graph_def.node if node.op == "Const"]


def test_equal_ones_are_kept_once_and_others_stay():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2], name="x")
        y = x + tf.constant([1.0, 2.0])
        y = y * tf.constant([1.0, 2.0])
        y = tf.reshape(y, tf.constant([1, 2])) + tf.cast(tf.constant([[1, 2]]), tf.float32)
        tf.identity(y, name="y")
    before, after = graph.as_graph_def(), graph.as_graph_def()
    share_constants(after, {})
    assert len(constants_in(before)) == 4
    assert len(constants_in(after)) == 3
    feeds = {"x": np.array([3.0, 5.0], np.float32)}
    np.testing.assert_array_equal(run_graph(after, feeds), run_graph(before, feeds))


def file_sizes(nodes, constants, shape):
    graph_def = convert_onnx.convert(model_of(nodes, {"x": shape}, constants))
    return len(frozen_graph.to_bytes(graph_def)), len(converter.convert(graph_def))


def test_weights_used_twice_are_in_either_file_once():
    w = normal(1, 64, 64, 3, 3)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="c", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["r", "w"], ["y"], name="y", strides=[2, 2]),
    ]
    assert max(file_sizes(nodes, {"w": w}, [1, 64, 8, 8])) < 1.05 * w.nbytes


def test_an_embedding_that_is_the_classifier_too_is_in_either_file_once():
    w = normal(1, 500, 64)
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["s"], name="s", transB=1),
        helper.make_node("ArgMax", ["s"], ["i"], name="i", axis=1, keepdims=0),
        helper.make_node("Gather", ["w", "i"], ["e"], name="e"),
        helper.make_node("MatMul", ["e", "transposed"], ["y"], name="y"),
    ]
    assert max(file_sizes(nodes, {"w": w, "transposed": np.ascontiguousarray(w.T)}, [2, 64])) < 1.05 * w.nbytes
