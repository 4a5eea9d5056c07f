"""``OneHot`` with a constant depth; a negative index counts from the end."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors


@lowers("OneHot")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """``indices`` of any number type become vectors along ``axis``, with two constant values in them."""
    depth, values = tensors.constant(node.inputs[1]), tensors.constant(node.inputs[2])
    if depth is None or values is None:
        return None
    size, (off, on) = int(depth.reshape(())), values
    indices = tf.cast(tensors[node.inputs[0]], tf.int32)
    # An index beyond either end matches nothing; one that is negative once wrapped stays so.
    wrapped = tf.where(tf.less(indices, 0), indices + size, indices)
    axis = node.attrs.get("axis", -1)
    rank = indices.shape.rank
    if rank is None:
        return None
    return [tf.one_hot(wrapped, size, on, off, axis=axis + rank + 1 if axis < 0 else axis)]
