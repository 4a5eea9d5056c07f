"""``MatMul``: by a constant matrix as one FULLY_CONNECTED, in any number of dimensions."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors


@lowers("MatMul")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Multiply float ``A`` (…, M, K) by ``B`` (…, K, N), broadcast as NumPy does."""
    shapes = [tensors.static_shape(name) for name in node.inputs]
    if shapes[0] is None or shapes[1] is None or min(len(shape or []) for shape in shapes) < 2:
        return None
    a, matrix = tensors[node.inputs[0]], tensors.constant(node.inputs[1])
    if not a.dtype.is_floating:
        return None
    name = node.name or None
    if matrix is None or matrix.ndim != 2:
        return [tf.matmul(a, tensors[node.inputs[1]], name=name)]
    # Its transpose is what TFLite keeps, and what PyTorch had: an embedding that is also a classifier is kept once.
    weight = np.ascontiguousarray(matrix.T)
    if len(shapes[0]) == 2:
        return [tf.matmul(a, weight, transpose_b=True, name=name)]
    rows = tf.reshape(a, [-1, matrix.shape[0]])
    product = tf.matmul(rows, weight, transpose_b=True, name=name)
    return [tf.reshape(product, [*shapes[0][:-1], matrix.shape[1]])]
