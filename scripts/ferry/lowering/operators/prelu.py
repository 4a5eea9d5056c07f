"""``PRelu``, in the one form that TFLite's converter makes a PRELU of."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import RANKS_WITH_CHANNELS, Made, Tensors, same_layout, to_last


@lowers("PRelu")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Multiply what is negative in float ``X`` by the constant ``slope``, which broadcasts to the shape of ``X``."""
    shape, slope = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x, last = tensors.either(node.inputs[0])
    if shape is None or slope is None or not x.dtype.is_floating or slope.ndim > len(shape):
        return None
    slope = slope.reshape([1] * (len(shape) - slope.ndim) + list(slope.shape))
    if slope.shape[0] > 1 or len(shape) < 2:
        return None
    if last and len(shape) in RANKS_WITH_CHANNELS:
        slope = slope.transpose(to_last(len(shape)))
        # XNNPACK wants one for each channel.
        slope = np.broadcast_to(slope, [*slope.shape[:-1], shape[1]])
    # The converter compares ranks: that of the slope is one less.
    negated = np.ascontiguousarray(-slope).reshape(slope.shape[1:])
    return [same_layout(last, tf.nn.relu(x) + tf.nn.relu(-x) * negated)]
