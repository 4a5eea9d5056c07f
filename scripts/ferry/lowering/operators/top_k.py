"""``TopK`` along any dimension. onnx-tf 1.6.0 leaves the indices transposed where it is not the last."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, transposed


@lowers("TopK")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """The constant number of ``K`` largest (or smallest) entries of ``X`` along ``axis``, sorted, and their indices."""
    shape = tensors.shape(node.inputs[0])
    count = tensors.constant(node.inputs[1]) if node.input(1) else np.array(node.attributes["k"])
    x = tensors[node.inputs[0]]
    if not shape or x.dtype not in (tf.float32, tf.int32):
        return Declined(f"its input is {x.dtype.name} or of unknown shape")
    if count is not None and count.size != 1:
        return Declined(f"it takes {count.tolist()} entries")
    k = tf.reshape(tf.cast(tensors[node.inputs[1]], tf.int32), []) if count is None else int(count.reshape(()))
    rank = len(shape)
    axis = node.attributes["axis"] % rank
    # Its own inverse: it swaps the dimension with the last.
    swap = list(range(rank))
    swap[axis], swap[-1] = swap[-1], swap[axis]
    moved = x if axis == rank - 1 else transposed(x, swap)
    # Before opset 11 there were no others.
    if node.attributes.get("largest", 1):
        values, indices = tf.math.top_k(moved, k)
    else:
        values, indices = tf.math.top_k(-moved, k)
        values = -values
    made = [values, tf.cast(indices, tf.int64)]
    return made if axis == rank - 1 else [transposed(tensor, swap) for tensor in made]
