"""``BatchNormalization`` that could not be folded: one multiplication and one addition a channel."""

from typing import Dict, List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

DEFAULT_EPSILON = 1e-5


def lower(node: OnnxNode, tensors: Dict[str, tf.Tensor]) -> Optional[List[tf.Tensor]]:
    """Normalise ``X`` (N, C, …) with constant statistics; the two vectors are computed in float64, rounded once."""
    x = tensors[node.inputs[0]]
    parameters = [tf.get_static_value(tensors[name]) for name in node.inputs[1:5]]
    if x.shape.rank is None or any(array is None for array in parameters) or len(node.outputs) != 1:
        return None
    scale, shift, mean, variance = (array.astype(np.float64) for array in parameters)
    factor = scale / np.sqrt(variance + node.attrs.get("epsilon", DEFAULT_EPSILON))
    shape = [-1] + [1] * (x.shape.rank - 2)
    dtype = x.dtype.as_numpy_dtype
    factor_per_channel = factor.reshape(shape).astype(dtype)
    shift_per_channel = (shift - mean * factor).reshape(shape).astype(dtype)
    return [tf.add(tf.multiply(x, factor_per_channel), shift_per_channel)]
