import numpy as np
import pytest
import tensorflow as tf

from converted import run_tflite
from ferry.errors import InputFileError
from ferry.frozen import frozen_graph
from ferry.tflite import converter, description, flatbuffer
from onnx_models import normal


def small_graph():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 5], name="left")
        tf.identity(tf.matmul(x, tf.constant(normal(1, 5, 3))), name="scores")
    return graph.as_graph_def()


def test_it_says_what_the_file_was_made_of_and_changes_nothing_else():
    data = converter.convert(small_graph())
    made = description.with_description(data, "0" * 64, "1" * 64, {"python": "3.8.1", "torch": "1.5.1"})
    assert description.read(data) == {}
    held = description.read(made)
    assert held["model_onnx_sha256"] == "0" * 64
    assert held["lock_sha256"] == "1" * 64
    # Python's patch release differs from runner to runner, and decides nothing.
    assert held["versions"] == {"torch": "1.5.1"}
    assert held["inputs"] == [{"name": "left", "shape": [1, 5], "dtype": "float32"}]
    assert held["outputs"] == [{"name": "scores", "shape": [1, 3], "dtype": "float32"}]
    assert len(made) - len(data) < 1024
    # The four bytes that point to the text are all that changes in what was there.
    assert sum(old != new for old, new in zip(data, made)) <= 4
    feeds = {"left": normal(2, 1, 5)}
    np.testing.assert_array_equal(run_tflite(made, feeds)[0], run_tflite(data, feeds)[0])


def test_the_digest_of_the_onnx_file_goes_through_the_frozen_graph(tmp_path):
    graph_def = small_graph()
    assert frozen_graph.onnx_digest(graph_def) == ""
    frozen_graph.note_origin(graph_def, "ab" * 32)
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    assert frozen_graph.onnx_digest(frozen_graph.load(str(tmp_path / "m.pb"))) == "ab" * 32
    assert converter.convert(graph_def) == converter.convert(small_graph())


def test_a_frozen_graph_that_is_cut_off_between_two_nodes_is_refused(tmp_path):
    graph_def = small_graph()
    frozen_graph.note_origin(graph_def, "ab" * 32)
    del graph_def.node[-1]
    (tmp_path / "m.pb").write_bytes(frozen_graph.to_bytes(graph_def))
    with pytest.raises(InputFileError, match="it has 3 of its 4 nodes"):
        frozen_graph.load(str(tmp_path / "m.pb"))


def test_the_tensors_are_counted():
    assert flatbuffer.tensor_count(converter.convert(small_graph())) >= 3
