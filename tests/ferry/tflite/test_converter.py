import pytest
import tensorflow as tf

from ferry.errors import UnsupportedModelError
from ferry.tflite import converter, flatbuffer


def graph_of(build):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 4, 4, 1], name="input")
        tf.identity(build(x), name="output")
    return graph.as_graph_def()


def test_builtin_operators_suffice_where_they_can():
    assert flatbuffer.flex_operators(flatbuffer.operators(converter.convert(graph_of(tf.nn.relu)))) == {}


def test_an_operator_only_tensorflow_has_becomes_flex():
    graph = graph_of(lambda x: tf.math.erf(tf.math.erf(x)))
    flex = flatbuffer.flex_operators(flatbuffer.operators(converter.convert(graph)))
    assert flex == {"Erf": 2}


def test_refused_flex_names_the_operators():
    with pytest.raises(UnsupportedModelError, match="no builtin kernel for Erf, and Flex is refused"):
        converter.convert(graph_of(tf.math.erf), allow_flex=False)


def test_an_operator_that_nothing_runs_is_named():
    graph = graph_of(lambda x: tf.math.betainc(tf.abs(x), tf.abs(x), tf.sigmoid(x)))
    with pytest.raises(UnsupportedModelError, match="with Flex or without: no kernel for Betainc"):
        converter.convert(graph)


def test_an_input_of_a_type_that_tflite_lacks_is_refused():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.uint16, [3], name="x")
        tf.identity(tf.bitwise.left_shift(x, x), name="y")
    with pytest.raises(UnsupportedModelError, match="uint16"):
        converter.convert(graph.as_graph_def())
