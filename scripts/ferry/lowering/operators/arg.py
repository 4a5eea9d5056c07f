"""``ArgMax`` and ``ArgMin``, in the layout their operand was made in."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, last_axis_of, same_layout


@lowers("ArgMax", "ArgMin")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """The index of the largest or smallest entry of ``X`` along ``axis``: the first, or the last if asked."""
    shape = tensors.shape(node.inputs[0])
    if not shape:
        return UNKNOWN_RANK if shape is None else Declined("its input has no dimensions")
    rank, axis = len(shape), node.attributes["axis"] % len(shape)
    keep, from_the_end = node.attributes["keepdims"], node.attributes.get("select_last_index", 0)
    x, last = tensors.either(node.inputs[0]) if keep else (tensors[node.inputs[0]], False)
    if x.dtype not in (tf.float32, tf.int32, tf.uint8):
        return Declined(f"its input is of type {x.dtype.name}")
    if from_the_end and shape[axis] is None:
        return UNKNOWN_SHAPE
    where = last_axis_of(axis, rank) if last else axis
    find = tf.argmax if node.operator == "ArgMax" else tf.argmin
    if from_the_end:
        # TFLite subtracts no int64.
        found = tf.cast(shape[axis] - 1 - find(tf.reverse(x, [where]), where, tf.int32), tf.int64)
    else:
        found = find(x, where, tf.int64)
    return [same_layout(last, tf.expand_dims(found, where) if keep else found)]
