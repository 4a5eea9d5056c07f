"""``OneHot`` with a constant depth; a negative index counts from the end."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors


@lowers("OneHot")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """``indices`` of any number type become vectors along ``axis``, with two constant values in them."""
    depth, values = tensors.constant(node.inputs[1]), tensors.constant(node.inputs[2])
    if depth is None or values is None or depth.size != 1 or values.size != 2:
        return Declined("its depth is not a constant number, or its values are not two constants")
    size, (off, on) = int(depth.reshape(())), values.reshape(-1)
    indices = tf.cast(tensors[node.inputs[0]], tf.int32)
    # An index beyond either end matches nothing; one that is negative once wrapped stays so.
    wrapped = tf.where(tf.less(indices, 0), indices + size, indices)
    axis = node.attributes["axis"]
    rank = indices.shape.rank
    if rank is None:
        return UNKNOWN_RANK
    return [tf.one_hot(wrapped, size, on, off, axis=axis + rank + 1 if axis < 0 else axis)]
