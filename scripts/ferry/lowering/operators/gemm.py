"""``Gemm``: a matrix product and a bias, which TFLite runs as one FULLY_CONNECTED."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors


@lowers("Gemm")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """``alpha · A' B' + beta · C`` for ``A`` (M, K), constant ``B`` (K, N) and constant ``C``, transposed as asked."""
    a = tensors[node.inputs[0]]
    b = tensors.constant(node.inputs[1])
    c = tensors.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(0)
    if b is None or c is None or a.shape.rank != 2 or not a.dtype.is_floating:
        return None
    if node.attrs.get("transB", 0):
        b = b.T
    source = tensors.flattened_from(node.inputs[0])
    shape = tensors.static_shape(source) if source else None
    if source and shape and not node.attrs.get("transA", 0):
        # Flattened as it lies, channels last, with the rows of B put into the same order, it needs no transpose.
        order = np.arange(b.shape[0]).reshape(shape[1:]).transpose([*range(1, len(shape) - 1), 0]).ravel()
        a, b = tf.reshape(tensors.last(source), [shape[0], b.shape[0]]), b[order]
    # (N, K) is what TFLite keeps, and what PyTorch had: an embedding that is also a classifier is kept once.
    b = np.ascontiguousarray(_scaled(b, node.attrs.get("alpha", 1.0)).T)
    y = tf.matmul(a, b, transpose_a=bool(node.attrs.get("transA", 0)), transpose_b=True, name=node.name or None)
    if c.size:
        c = _scaled(c, node.attrs.get("beta", 1.0))
        if c.ndim < 2 or c.shape[0] == 1:
            # TFLite's bias has one value for each column.
            c = np.array(np.broadcast_to(c.reshape(-1), b.shape[:1]))
        y = tf.nn.bias_add(y, c) if c.shape == (b.shape[0],) else tf.add(y, c)
    return [y]


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    return array if factor == 1.0 else (array.astype(np.float64) * factor).astype(array.dtype)
