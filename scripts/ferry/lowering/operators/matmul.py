"""``MatMul``: by a constant matrix as one FULLY_CONNECTED, in any number of dimensions."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors


@lowers("MatMul")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Multiply float ``A`` (…, M, K) by ``B`` (…, K, N), broadcast as NumPy does."""
    shapes = [tensors.static_shape(name) for name in node.inputs]
    if shapes[0] is None or shapes[1] is None:
        return UNKNOWN_SHAPE
    if min(len(shapes[0]), len(shapes[1])) < 2:
        return Declined("an operand is a vector")
    a, matrix = tensors[node.inputs[0]], tensors.constant(node.inputs[1])
    if not a.dtype.is_floating:
        return NOT_FLOATING_POINT
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
