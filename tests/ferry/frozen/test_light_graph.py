import io

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError

from ferry.errors import UnsupportedModelError
from ferry.frozen import frozen_graph, light_graph
from ferry.frozen.light_graph import Held, LightGraph
from onnx_models import normal


def graph_def():
    """Large constants of float32 and of another type, a small one, and one inside a function."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 200], name="x")
        wide = tf.matmul(x, tf.constant(normal(1, 200, 300), name="w")) + tf.constant(normal(2, 300), name="b")
        index = tf.constant(np.arange(30000) % 300, tf.int64, name="index")

        @tf.function
        def double(y):
            return y * tf.constant(normal(3, 1, 30000), name="inside")

        tf.identity(double(tf.gather(wide, index, axis=1)), name="y")
    return graph.as_graph_def()


def read(data):
    return light_graph.read(io.BytesIO(data), len(data))


def test_only_large_constants_of_float32_are_left_in_the_file():
    whole = graph_def()
    light = read(frozen_graph.to_bytes(whole))
    assert list(light.constants) == ["w"]
    np.testing.assert_array_equal(light.constants["w"].array(), normal(1, 200, 300))
    assert light.graph_def.ByteSize() < whole.ByteSize() - 200 * 300 * 4
    assert light.whole() == whole


def test_it_is_written_as_the_bytes_of_the_whole_graph():
    data = frozen_graph.to_bytes(graph_def())
    assert b"".join(map(bytes, light_graph.pieces(read(data)))) == data


def test_what_lies_in_another_order_is_written_in_order():
    data = frozen_graph.to_bytes(graph_def())
    light = read(data)
    turned = np.ascontiguousarray(normal(1, 200, 300).T).T
    held = LightGraph(light.graph_def, {"w": Held(turned)})
    assert b"".join(map(bytes, light_graph.pieces(held))) == data


def test_a_file_that_is_cut_short_anywhere_is_none():
    data = frozen_graph.to_bytes(graph_def())
    for length in [*range(1, 80), len(data) // 3, len(data) // 2, len(data) - 1]:
        whole = tf.compat.v1.GraphDef()
        try:
            whole.ParseFromString(data[:length])
        except DecodeError:
            with pytest.raises(DecodeError):
                read(data[:length])
        else:
            assert read(data[:length]).whole() == whole


def test_a_constant_of_another_size_than_its_shape_is_refused():
    whole = graph_def()
    (weight,) = [node for node in whole.node if node.name == "w"]
    weight.attr["value"].tensor.tensor_content += b"1234"
    with pytest.raises(ValueError, match=r"the constant w of shape \(200, 300\) has 240004 bytes"):
        read(frozen_graph.to_bytes(whole))


def test_a_graph_that_no_reader_takes_is_refused(monkeypatch):
    light = read(frozen_graph.to_bytes(graph_def()))
    monkeypatch.setattr(light_graph, "LARGEST_FILE", 100_000)
    with pytest.raises(UnsupportedModelError, match="the frozen graph would take"):
        b"".join(map(bytes, light_graph.pieces(light)))
