"""``Gemm``: a matrix product and a bias, which TFLite runs as one FULLY_CONNECTED."""

from typing import Optional, Sequence

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors


@lowers("Gemm")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """``alpha · A' B' + beta · C`` for ``A`` (M, K), constant ``B`` (K, N) and constant ``C``, transposed as asked."""
    a = tensors[node.inputs[0]]
    b = tensors.constant(node.inputs[1])
    bias = node.input(2)
    c = tensors.constant(bias) if bias else np.zeros(0)
    if b is None or c is None:
        return Declined("its weights are computed from the model's inputs")
    if a.shape.rank != 2 or not a.dtype.is_floating:
        return Declined("its input is no matrix of floating point")
    if node.attributes["transB"]:
        b = b.T
    inner = a.shape[0 if node.attributes["transA"] else 1]
    if b.ndim != 2 or inner not in (None, b.shape[0]):
        return Declined(f"weights of shape {list(b.shape)} do not fit an input of {inner} columns")
    if c.size and not _fits(c.shape, [a.shape[1 if node.attributes["transA"] else 0], b.shape[1]]):
        return Declined(f"a bias of shape {list(c.shape)} does not fit {b.shape[1]} columns")
    source = tensors.flattened_from(node.inputs[0])
    shape = tensors.static_shape(source) if source else None
    if source and shape and not node.attributes["transA"]:
        # Flattened as it lies, channels last, with the rows of B put into the same order, it needs no transpose.
        order = np.arange(b.shape[0]).reshape(shape[1:]).transpose([*range(1, len(shape) - 1), 0]).ravel()
        a, b = tf.reshape(tensors.last(source), [shape[0], b.shape[0]]), b[order]
    # (N, K) is what TFLite keeps, and what PyTorch had: an embedding that is also a classifier is kept once.
    b = np.ascontiguousarray(_scaled(b, node.attributes["alpha"]).T)
    y = tf.matmul(a, b, transpose_a=bool(node.attributes["transA"]), transpose_b=True, name=node.name or None)
    if c.size:
        c = _scaled(c, node.attributes["beta"])
        if c.ndim < 2 or c.shape[0] == 1:
            # TFLite's bias has one value for each column.
            c = np.array(np.broadcast_to(c.reshape(-1), b.shape[:1]))
        y = tf.nn.bias_add(y, c) if c.shape == (b.shape[0],) else tf.add(y, c)
    return [y]


def _fits(shape: Sequence[int], target: Sequence[Optional[int]]) -> bool:
    """Whether ``shape`` broadcasts to ``target`` in one direction."""
    return len(shape) <= len(target) and all(
        own in (1, other) or other is None for own, other in zip(reversed(shape), reversed(target))
    )


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    return array if factor == 1.0 else (array.astype(np.float64) * factor).astype(array.dtype)
