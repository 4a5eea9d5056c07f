import pytest
import tensorflow as tf

from converted import run_graph
from ferry.frozen import function_names
from onnx_models import normal


def halved_until_below_one(numbers):
    """A graph whose functions are numbered from wherever the process has come to."""
    for _ in range(numbers):
        tf.function(lambda x: x).get_concrete_function(tf.TensorSpec([], tf.float32))
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [3], "x")

        @tf.function
        def halved(value):
            return tf.while_loop(lambda each: tf.reduce_max(each) > 1.0, lambda each: (each / 2.0,), [value])[0]

        tf.identity(halved(x), name="y")
        return graph.as_graph_def()


def test_the_names_follow_the_calls_and_nothing_else():
    made = [halved_until_below_one(numbers) for numbers in (0, 3)]
    for graph_def in made:
        function_names.number(graph_def)
    assert made[0] == made[1]
    names = [function.signature.name for function in made[0].library.function]
    assert names == [f"function_{position}" for position in range(len(names))] and len(names) == 3


def test_it_computes_what_it_did():
    graph_def = halved_until_below_one(0)
    feeds = {"x": 8 * normal(1, 3)}
    before = run_graph(graph_def, feeds)[0]
    function_names.number(graph_def)
    assert run_graph(graph_def, feeds)[0] == pytest.approx(before, abs=0)
