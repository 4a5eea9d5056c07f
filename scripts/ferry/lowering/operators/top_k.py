"""``TopK`` along any dimension. onnx-tf 1.6.0 leaves the indices transposed where it is not the last."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, transposed


@lowers("TopK")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """The constant number of ``K`` largest (or smallest) entries of ``X`` along ``axis``, sorted, and their indices."""
    shape = tensors.shape(node.inputs[0])
    count = tensors.constant(node.inputs[1]) if len(node.inputs) > 1 else np.array(node.attrs["k"])
    x = tensors[node.inputs[0]]
    if shape is None or x.dtype not in (tf.float32, tf.int32):
        return None
    k = tf.reshape(tf.cast(tensors[node.inputs[1]], tf.int32), []) if count is None else int(count.reshape(()))
    rank = len(shape)
    axis = node.attrs.get("axis", -1) % rank
    # Its own inverse: it swaps the dimension with the last.
    swap = list(range(rank))
    swap[axis], swap[-1] = swap[-1], swap[axis]
    moved = x if axis == rank - 1 else transposed(x, swap)
    if node.attrs.get("largest", 1):
        values, indices = tf.math.top_k(moved, k)
    else:
        values, indices = tf.math.top_k(-moved, k)
        values = -values
    made = [values, tf.cast(indices, tf.int64)]
    return made if axis == rank - 1 else [transposed(tensor, swap) for tensor in made]
