"""``InstanceNormalization``: each channel of each example by its own mean and variance."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.broadcasting import broadcast
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.long_sums import reduced_in_steps
from ferry.lowering.node import Node
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("InstanceNormalization")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Normalise float ``X`` (N, C, …) and give each channel its ``scale`` and ``B``."""
    shape = tensors.shape(node.inputs[0])
    scale, shift = (tensors.constant(name) for name in node.inputs[1:3])
    if scale is None or shift is None:
        return Declined("its scale and shift are computed from the model's inputs")
    if shape is None or len(shape) not in (3, 4, 5):
        return Declined("its input is not known to be of one, two or three spatial dimensions")
    x = tensors.last(node.inputs[0])
    axes = list(range(1, len(shape) - 1))
    centred = broadcast(tf.subtract, [x, reduced_in_steps(x, axes, tf.reduce_mean, keepdims=True)])
    variance = reduced_in_steps(centred * centred, axes, tf.reduce_mean, keepdims=True)
    factor = tf.math.rsqrt(variance + tf.constant(node.attributes["epsilon"], x.dtype))
    # On one value a channel, not on the whole tensor.
    y = broadcast(tf.multiply, [centred, factor if (scale == 1).all() else factor * scale])
    return [ChannelsLast(y if (shift == 0).all() else y + shift)]
