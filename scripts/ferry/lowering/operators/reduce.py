"""Reductions over some dimensions, in the layout their operand was made in."""

import math
from typing import Any, Callable, Dict, List

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_RANK, Declined, Lowered
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
# TensorFlow and TFLite add one value after another to a float32 sum, whose rounding grows with how many there are.
ADDING = (tf.reduce_mean, tf.reduce_sum)
MANY = 1024
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
    y = _in_steps(x, where, function, keepdims=keep, name=node.name or None)
    if keep or not last:
        return [same_layout(last, y)]
    # What is left has its channels last unless they were reduced, or nothing but the batch stands before them.
    left = [axis for axis in range(rank) if axis not in axes]
    return [ChannelsLast(y)] if 1 in left and left != [0, 1] and left[0] == 0 else _plain(y, left)


def _in_steps(x: tf.Tensor, axes: List[int], function: Callable[..., tf.Tensor], keepdims: bool, name: Any):
    """Reduce ``axes`` at once, or from the last to the first where one after another adds up more exactly."""
    shape = x.shape.as_list()
    if (
        function not in ADDING
        or not x.dtype.is_floating
        or None in shape
        or np.prod([shape[axis] for axis in axes]) < MANY
    ):
        return function(x, axis=axes, keepdims=keepdims, name=name)
    for axis in sorted(axes, reverse=True):
        if shape[axis] < MANY:
            x = function(x, axis=[axis], keepdims=keepdims, name=name)
        else:
            x = _in_blocks(x, axis, function, keepdims, name)
    return x


def _in_blocks(x: tf.Tensor, axis: int, function: Callable[..., tf.Tensor], keepdims: bool, name: Any) -> tf.Tensor:
    """Reduce ``axis`` in blocks, and then what they give: each sum is of about the root of the count."""
    shape = x.shape.as_list()
    count = shape[axis]
    block = math.ceil(math.sqrt(count))
    blocks = math.ceil(count / block)
    before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    y = tf.pad(tf.reshape(x, [before, count, after]), [[0, 0], [0, blocks * block - count], [0, 0]])
    # More than four dimensions not every kernel takes.
    y = tf.reduce_sum(tf.reshape(y, [before, blocks, block, after]), axis=[2])
    y = tf.reshape(tf.reduce_sum(y, axis=[1]), shape[:axis] + [1] * keepdims + shape[axis + 1 :])
    return tf.multiply(y, np.array(1 / count, x.dtype.as_numpy_dtype), name=name) if function is tf.reduce_mean else y


def _plain(y: tf.Tensor, left: List[int]) -> Lowered:
    # With the channels gone, or no spatial dimension beside them, both layouts are in the same order.
    if 1 not in left or left in ([0, 1], [1]):
        return [y]
    return Declined("what it leaves of the dimensions has the channels in the middle")
