"""``ArgMax`` and ``ArgMin``, in the layout their operand was made in."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, last_axis_of, same_layout


@lowers("ArgMax", "ArgMin")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """The index of the largest or smallest entry of ``X`` along ``axis``: the first, or the last if asked."""
    shape = tensors.shape(node.inputs[0])
    if shape is None:
        return None
    rank, axis = len(shape), node.attrs.get("axis", 0) % len(shape)
    keep, from_the_end = node.attrs.get("keepdims", 1), node.attrs.get("select_last_index", 0)
    x, last = tensors.either(node.inputs[0]) if keep else (tensors[node.inputs[0]], False)
    if x.dtype not in (tf.float32, tf.int32, tf.uint8) or (from_the_end and shape[axis] is None):
        return None
    where = last_axis_of(axis, rank) if last else axis
    find = tf.argmax if node.op_type == "ArgMax" else tf.argmin
    if from_the_end:
        # TFLite subtracts no int64.
        found = tf.cast(shape[axis] - 1 - find(tf.reverse(x, [where]), where, tf.int32), tf.int64)
    else:
        found = find(x, where, tf.int64)
    return [same_layout(last, tf.expand_dims(found, where) if keep else found)]
