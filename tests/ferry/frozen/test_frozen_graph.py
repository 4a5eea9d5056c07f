import numpy as np
import pytest
import tensorflow as tf

from ferry.errors import InputFileError
from ferry.frozen import frozen_graph


def graph_of_two():
    with tf.Graph().as_default() as graph:
        a = tf.compat.v1.placeholder(tf.float32, [2], name="a")
        b = tf.compat.v1.placeholder(tf.float32, [2], name="b")
        tf.identity(a + b, name="first")
        tf.identity(a * b, name="second")
    return graph.as_graph_def()


def test_the_order_of_inputs_and_outputs_is_kept_in_the_file(tmp_path):
    ordered = graph_of_two()
    frozen_graph.put_in_order(ordered, ["b", "a"], ["second", "first"])
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(ordered))
    read = frozen_graph.load(str(tmp_path / "m.pb"))
    assert frozen_graph.input_names(read) == ["b", "a"]
    assert frozen_graph.output_names(read) == ["second", "first"]


def test_it_is_still_the_same_graph():
    before = graph_of_two()
    after = graph_of_two()
    frozen_graph.put_in_order(after, ["b", "a"], ["second", "first"])
    assert sorted(node.name for node in after.node) == sorted(node.name for node in before.node)
    assert after.versions == before.versions


def test_what_no_output_depends_on_is_removed():
    graph_def = graph_of_two()
    frozen_graph.keep_reachable(graph_def, ["a", "second"])
    assert [node.name for node in graph_def.node] == ["a", "b", "mul", "second"]


def test_a_large_constant_of_other_bytes_than_its_shape_needs_is_refused(tmp_path):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 200], name="x")
        tf.identity(x @ tf.constant(np.random.rand(200, 200).astype(np.float32), name="w"), name="y")
    graph_def = graph.as_graph_def()
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    assert frozen_graph.load(str(tmp_path / "m.pb")) == graph_def
    (weights,) = [node for node in graph_def.node if node.name == "w"]
    weights.attr["value"].tensor.tensor_content = weights.attr["value"].tensor.tensor_content[:-4]
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    with pytest.raises(InputFileError, match=r"the constant w of shape \(200, 200\) has 159996 bytes"):
        frozen_graph.load(str(tmp_path / "m.pb"))
