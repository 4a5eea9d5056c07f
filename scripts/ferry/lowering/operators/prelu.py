"""``PRelu``, in the one form that TFLite's converter turns into a PRELU."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import RANKS_WITH_CHANNELS, Tensors, same_layout, to_last

# TFLite's PRELU takes no more.
MOST_DIMENSIONS = 4


@lowers("PRelu")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Multiply what is negative in float ``X`` by the constant ``slope``, which broadcasts to the shape of ``X``."""
    shape, slope = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x, last = tensors.either(node.inputs[0])
    if shape is None or slope is None:
        return Declined("its input is not of static shape, or its slope is computed from the model's inputs")
    if not x.dtype.is_floating:
        return NOT_FLOATING_POINT
    if slope.ndim > len(shape) or len(shape) < 2:
        return Declined(f"a slope of shape {list(slope.shape)} does not fit an input of shape {shape}")
    slope = slope.reshape([1] * (len(shape) - slope.ndim) + list(slope.shape))
    if slope.shape[0] > 1 or any(own not in (1, other) for own, other in zip(slope.shape, shape)):
        return Declined(f"a slope of shape {list(slope.shape)} does not fit an input of shape {shape}")
    if last and len(shape) in RANKS_WITH_CHANNELS:
        slope = slope.transpose(to_last(len(shape)))
        # XNNPACK wants one for each channel.
        slope = np.broadcast_to(slope, [*slope.shape[:-1], shape[1]])
    if len(shape) <= MOST_DIMENSIONS:
        return [same_layout(last, _prelu(x, slope))]
    # Neighbours that the slope treats alike are one dimension.
    whole, groups = x.shape.as_list(), [[0]]
    for axis in range(1, len(shape)):
        alike = axis > 1 and (slope.shape[axis] == 1) == (slope.shape[axis - 1] == 1)
        groups = [*groups[:-1], [*groups[-1], axis]] if alike else [*groups, [axis]]
    if len(groups) > MOST_DIMENSIONS:
        groups, slope = [[0], list(range(1, len(shape)))], np.broadcast_to(slope, [1, *whole[1:]])
    fewer, own = ([int(np.prod([sizes[axis] for axis in group])) for group in groups] for sizes in (whole, slope.shape))
    return [same_layout(last, tf.reshape(_prelu(tf.reshape(x, fewer), slope.reshape(own)), whole))]


def _prelu(x: tf.Tensor, slope: np.ndarray) -> tf.Tensor:
    # The converter compares ranks: that of the slope is one less.
    negated = np.ascontiguousarray(-slope).reshape(slope.shape[1:])
    return tf.nn.relu(x) + tf.nn.relu(-x) * negated
