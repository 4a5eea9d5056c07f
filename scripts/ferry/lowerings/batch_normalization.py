"""``BatchNormalization`` that could not be folded: one multiplication and one addition a channel."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.tf_graph.tensors import ChannelsLast, Made, Tensors

DEFAULT_EPSILON = 1e-5


def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Normalise ``X`` (N, C, …) with constant statistics; the two vectors are computed in float64, rounded once."""
    shape = tensors.shape(node.inputs[0])
    found = [tensors.constant(name) for name in node.inputs[1:5]]
    parameters = [array for array in found if array is not None]
    if shape is None or len(parameters) < len(found) or len(node.outputs) != 1:
        return None
    scale, shift, mean, variance = (array.astype(np.float64) for array in parameters)
    factor = scale / np.sqrt(variance + node.attrs.get("epsilon", DEFAULT_EPSILON))
    dtype = parameters[0].dtype
    factor, shift = factor.astype(dtype), (shift - mean * factor).astype(dtype)
    if len(shape) == 2:
        return [tensors[node.inputs[0]] * factor + shift]
    if len(shape) in (3, 4, 5):
        return [ChannelsLast(tf.add(tf.multiply(tensors.last(node.inputs[0]), factor), shift))]
    return None
