import numpy as np
import tensorflow as tf
from tensorflow.python.framework import tensor_util

from ferry.lowering import large_constants
from onnx_models import normal


def build():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 200], name="x")
        y = tf.nn.bias_add(tf.matmul(x, normal(1, 200, 300), name="product"), normal(2, 300))
        y = tf.concat([y, tf.constant(normal(3, 1, 20000)), tf.constant(normal(4, 20000), shape=[1, 20000])], 1)

        @tf.function
        def double(z):
            return z * normal(5, 1, 40300)

        tf.identity(double(y), name="y")
    return graph.as_graph_def()


def test_the_graph_is_the_one_that_holds_its_constants():
    expected = build()
    before = tensor_util.make_tensor_proto
    with large_constants.kept_aside() as arrays:
        made = build()
    assert tensor_util.make_tensor_proto is before
    assert made.ByteSize() < expected.ByteSize() / 2
    light = large_constants.light(made, arrays)
    assert sorted(array.nbytes for array in arrays.values()) == [80000, 161200, 240000]
    assert len(light.constants) == 2, "one lies inside a function, and is in the graph again"
    whole = light.whole()
    # Functions are numbered in the whole process.
    for graph_def in (expected, whole):
        for call in (node for node in graph_def.node if node.op == "PartitionedCall"):
            call.ClearField("attr")
        for function in graph_def.library.function:
            function.signature.name = "double"
            function.ClearField("attr")
    assert whole == expected


def test_who_reads_one_as_the_graph_is_built_gets_no_number():
    with large_constants.kept_aside(), tf.Graph().as_default():
        read = tf.get_static_value(tf.constant(normal(1, 200, 300)))
    assert np.isnan(read).all()
