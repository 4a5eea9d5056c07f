"""``Gather``: with constant indices in the layout its operand was made in, with computed ones in ONNX's."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, last_axis_of, same_layout


@lowers("Gather")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Take entries of ``X`` along ``axis``; a negative index counts from the end."""
    shape = tensors.shape(node.inputs[0])
    indices = tensors.constant(node.inputs[1])
    axis = node.attributes["axis"]
    if shape is None:
        return UNKNOWN_RANK
    if not -len(shape) <= axis < len(shape):
        return Declined(f"it gathers along dimension {axis} of {len(shape)}")
    if shape[axis] is None:
        return UNKNOWN_SHAPE
    if indices is None:
        # The remainder takes a negative index to the one it stands for; TFLite computes it for 32 bits only.
        computed = tf.math.floormod(tf.cast(tensors[node.inputs[1]], tf.int32), shape[axis])
        return [tf.gather(tensors[node.inputs[0]], computed, axis=axis)]
    positions = np.where(indices < 0, indices + shape[axis], indices).astype(np.int32)
    # A list of indices keeps the rank, and with it the layout; anything else changes it.
    if positions.ndim == 1:
        x, last = tensors.either(node.inputs[0])
        where = last_axis_of(axis, len(shape)) if last else axis
        return [same_layout(last, tf.gather(x, positions, axis=where))]
    return [tf.gather(tensors[node.inputs[0]], positions, axis=axis)]
