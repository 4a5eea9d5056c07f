"""Reductions over some dimensions, in the layout their operand was made in."""

from typing import Callable, Dict, List

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_RANK, Declined, Lowered
from ferry.lowering.long_sums import reduced_in_steps
from ferry.lowering.node import Node
from ferry.lowering.tensors import ChannelsLast, Tensors, last_axis_of, same_layout

FUNCTIONS: Dict[str, Callable[..., tf.Tensor]] = {
    "GlobalAveragePool": tf.reduce_mean,
    "GlobalMaxPool": tf.reduce_max,
    "ReduceMax": tf.reduce_max,
    "ReduceMean": tf.reduce_mean,
    "ReduceMin": tf.reduce_min,
    "ReduceProd": tf.reduce_prod,
    "ReduceSum": tf.reduce_sum,
}
OF_INTEGERS = (tf.reduce_max, tf.reduce_min, tf.reduce_prod, tf.reduce_sum)


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Reduce ``X`` over ``axes``, by default all; a global pool over the spatial ones, which it keeps as ones.

    ``X`` is of floats, or of integers of which no mean is taken.
    """
    return reduced(node, tensors, FUNCTIONS[node.operator])


def reduced(node: Node, tensors: Tensors, function: Callable[..., tf.Tensor]) -> Lowered:
    """As ``lower``, with ``function(x, axis=…, keepdims=…, name=…)`` for the reduction."""
    shape = tensors.shape(node.inputs[0])
    if shape is None:
        return UNKNOWN_RANK
    rank = len(shape)
    pool = node.operator.startswith("Global")
    axes = list(range(2, rank)) if pool else node.attributes.get("axes", list(range(rank)))
    x, last = tensors.either(node.inputs[0])
    if not x.dtype.is_floating and not (x.dtype in (tf.int32, tf.int64) and function in OF_INTEGERS):
        return NOT_FLOATING_POINT
    if not axes or any(not -rank <= axis < rank for axis in axes):
        return Declined(f"it reduces the dimensions {axes} of {rank}")
    axes = sorted({axis % rank for axis in axes})
    keep = True if pool else bool(node.attributes["keepdims"])
    where = [last_axis_of(axis, rank) for axis in axes] if last else axes
    y = reduced_in_steps(x, where, function, keepdims=keep, name=node.name or None)
    if keep or not last:
        return [same_layout(last, y)]
    # What is left has its channels last unless they were reduced, or nothing but the batch stands before them.
    left = [axis for axis in range(rank) if axis not in axes]
    return [ChannelsLast(y)] if 1 in left and left != [0, 1] and left[0] == 0 else _plain(y, left)


def _plain(y: tf.Tensor, left: List[int]) -> Lowered:
    # With the channels gone, or no spatial dimension beside them, both layouts are in the same order.
    if 1 not in left or left in ([0, 1], [1]):
        return [y]
    return Declined("what it leaves of the dimensions has the channels in the middle")
