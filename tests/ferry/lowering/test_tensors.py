import numpy as np
import pytest
import tensorflow as tf

from ferry.lowering.tensors import ChannelsLast, Tensors, last_axis_of, to_first, to_last
from onnx_models import normal


@pytest.fixture()
def tensors():
    with tf.Graph().as_default():
        yield Tensors({"weight": normal(1, 2, 3, 4, 5), "unread": normal(2, 3)})


def operators():
    return [node.op for node in tf.compat.v1.get_default_graph().as_graph_def().node]


def value(tensor):
    with tf.compat.v1.Session(graph=tensor.graph) as session:
        return session.run(tensor)


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_the_two_permutations_undo_each_other(rank):
    assert [to_last(rank)[axis] for axis in to_first(rank)] == list(range(rank))


@pytest.mark.parametrize(("axis", "where"), [(0, 0), (1, 3), (2, 1), (3, 2), (-1, 2), (-3, 3)])
def test_where_an_axis_lies_in_channels_last(axis, where):
    assert last_axis_of(axis, 4) == where


def test_a_tensor_is_read_in_either_layout(tensors):
    x = normal(3, 2, 3, 4, 5)
    tensors["plain"] = tf.constant(x)
    tensors["last"] = ChannelsLast(tf.constant(x.transpose(0, 2, 3, 1)))
    for name in ("plain", "last"):
        np.testing.assert_array_equal(value(tensors[name]), x)
        np.testing.assert_array_equal(value(tensors.last(name)), x.transpose(0, 2, 3, 1))
        assert tensors.static_shape(name) == [2, 3, 4, 5]
    assert tensors.made_last("last")
    assert not tensors.made_last("plain")


def test_one_transpose_serves_all_who_read_the_other_layout(tensors):
    tensors["x"] = tf.constant(normal(3, 2, 3, 4, 5))
    assert tensors.last("x") is tensors.last("x")
    assert operators().count("Transpose") == 1


def test_who_reads_the_layout_it_was_made_in_costs_nothing(tensors):
    tensors["x"] = ChannelsLast(tf.constant(normal(3, 2, 3, 4, 5)))
    tensors.last("x")
    tensors.either("x")
    assert "Transpose" not in operators()


@pytest.mark.parametrize("shape", [(2, 1, 1, 3), (1, 1, 1, 1), (2, 4, 5, 1)])
def test_where_only_ones_move_it_is_a_reshape(tensors, shape):
    x = normal(3, *shape)
    tensors["x"] = ChannelsLast(tf.constant(x))
    np.testing.assert_array_equal(value(tensors["x"]), x.transpose(0, 3, 1, 2))
    assert "Transpose" not in operators()


def test_dimensions_of_equal_size_still_move(tensors):
    x = normal(3, 2, 2, 2, 2)
    tensors["x"] = ChannelsLast(tf.constant(x))
    np.testing.assert_array_equal(value(tensors["x"]), x.transpose(0, 3, 1, 2))


def test_a_constant_is_made_only_when_read_and_transposed_at_build_time(tensors):
    assert operators() == []
    np.testing.assert_array_equal(value(tensors.last("weight")), tensors.constant("weight").transpose(0, 2, 3, 1))
    assert operators() == ["Const"]


def test_a_name_that_is_nowhere_is_a_key_error(tensors):
    assert "nowhere" not in tensors
    with pytest.raises(KeyError):
        tensors["nowhere"]
    assert tensors.get("nowhere") is None
