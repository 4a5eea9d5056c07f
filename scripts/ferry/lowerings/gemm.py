"""``Gemm``: a matrix product and a bias, which TFLite runs as one FULLY_CONNECTED."""

from typing import Dict, List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode


def lower(node: OnnxNode, tensors: Dict[str, tf.Tensor]) -> Optional[List[tf.Tensor]]:
    """``alpha · A' B' + beta · C`` for ``A`` (M, K), constant ``B`` (K, N) and constant ``C``, transposed as asked."""
    a = tensors[node.inputs[0]]
    b = tf.get_static_value(tensors[node.inputs[1]])
    if b is None or a.shape.rank != 2 or not a.dtype.is_floating:
        return None
    if node.attrs.get("transB", 0):
        b = b.T
    b = np.ascontiguousarray(_scaled(b, node.attrs.get("alpha", 1.0)))
    y = tf.matmul(a, b, transpose_a=bool(node.attrs.get("transA", 0)), name=node.name or None)
    if len(node.inputs) > 2 and node.inputs[2]:
        c = tf.get_static_value(tensors[node.inputs[2]])
        if c is None:
            return None
        c = _scaled(c, node.attrs.get("beta", 1.0))
        y = tf.nn.bias_add(y, c) if c.shape == (b.shape[1],) else tf.add(y, c)
    return [y]


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    return array if factor == 1.0 else (array.astype(np.float64) * factor).astype(array.dtype)
