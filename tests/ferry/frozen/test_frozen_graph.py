import tensorflow as tf

from ferry.frozen import frozen_graph


def graph_of_two():
    with tf.Graph().as_default() as graph:
        a = tf.compat.v1.placeholder(tf.float32, [2], name="a")
        b = tf.compat.v1.placeholder(tf.float32, [2], name="b")
        tf.identity(a + b, name="first")
        tf.identity(a * b, name="second")
    return graph.as_graph_def()


def test_the_order_of_inputs_and_outputs_is_kept_in_the_file(tmp_path):
    ordered = frozen_graph.in_order(graph_of_two(), ["b", "a"], ["second", "first"])
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(ordered))
    read = frozen_graph.load(str(tmp_path / "m.pb"))
    assert frozen_graph.input_names(read) == ["b", "a"]
    assert frozen_graph.output_names(read) == ["second", "first"]


def test_it_is_still_the_same_graph():
    before = graph_of_two()
    after = frozen_graph.in_order(before, ["b", "a"], ["second", "first"])
    assert sorted(node.name for node in after.node) == sorted(node.name for node in before.node)
    assert after.versions == before.versions
