"""``InstanceNormalization``: each channel of each example by its own mean and variance."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.graph.schema import default
from ferry.lowering.tensors import ChannelsLast, Made, Tensors

DEFAULT_EPSILON = default("InstanceNormalization", "epsilon")


@lowers("InstanceNormalization")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Normalise float ``X`` (N, C, …) and give each channel its ``scale`` and ``B``."""
    shape = tensors.shape(node.inputs[0])
    scale, shift = (tensors.constant(name) for name in node.inputs[1:3])
    if shape is None or len(shape) not in (3, 4, 5) or scale is None or shift is None:
        return None
    x = tensors.last(node.inputs[0])
    axes = list(range(1, len(shape) - 1))
    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    variance = tf.reduce_mean(centred * centred, axes, keepdims=True)
    factor = tf.math.rsqrt(variance + tf.constant(node.attrs.get("epsilon", DEFAULT_EPSILON), x.dtype))
    # On one value a channel, not on the whole tensor.
    y = centred * (factor if (scale == 1).all() else factor * scale)
    return [ChannelsLast(y if (shift == 0).all() else y + shift)]
