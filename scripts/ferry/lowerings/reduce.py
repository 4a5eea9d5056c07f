"""Reductions over some dimensions, in the layout their operand was made in."""

from typing import Callable, Dict, List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.tf_graph.tensors import ChannelsLast, Made, Tensors, last_axis_of, same_layout

FUNCTIONS: Dict[str, Callable[..., tf.Tensor]] = {
    "GlobalAveragePool": tf.reduce_mean,
    "GlobalMaxPool": tf.reduce_max,
    "ReduceMax": tf.reduce_max,
    "ReduceMean": tf.reduce_mean,
    "ReduceMin": tf.reduce_min,
    "ReduceProd": tf.reduce_prod,
    "ReduceSum": tf.reduce_sum,
}


def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Reduce float ``X`` over ``axes``, by default all; a global pool over the spatial ones, which it keeps as ones."""
    return reduced(node, tensors, FUNCTIONS[node.op_type])


def reduced(node: OnnxNode, tensors: Tensors, function: Callable[..., tf.Tensor]) -> Optional[List[Made]]:
    """As ``lower``, with ``function(x, axis=…, keepdims=…, name=…)`` for the reduction."""
    shape = tensors.shape(node.inputs[0])
    if shape is None or len(node.inputs) != 1:
        return None
    rank = len(shape)
    pool = node.op_type.startswith("Global")
    axes = list(range(2, rank)) if pool else node.attrs.get("axes", list(range(rank)))
    axes = sorted(axis % rank for axis in axes)
    keep = True if pool else bool(node.attrs.get("keepdims", 1))
    x, last = tensors.either(node.inputs[0])
    if not x.dtype.is_floating or not axes:
        return None
    where = [last_axis_of(axis, rank) for axis in axes] if last else axes
    y = function(x, axis=where, keepdims=keep, name=node.name or None)
    if keep or not last:
        return [same_layout(last, y)]
    # What is left has its channels last unless they were reduced, or nothing but the batch stands before them.
    left = [axis for axis in range(rank) if axis not in axes]
    return [ChannelsLast(y)] if 1 in left and left != [0, 1] and left[0] == 0 else _plain(y, left)


def _plain(y: tf.Tensor, left: List[int]) -> Optional[List[Made]]:
    # With the channels gone, or no spatial dimension beside them, both layouts are in the same order.
    if 1 not in left or left in ([0, 1], [1]):
        return [y]
    return None
