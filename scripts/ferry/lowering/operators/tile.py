"""``Expand`` and ``Tile`` with constant shapes: TFLite 2.4 has a kernel for tiling and none for broadcasting."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors

TYPES = (tf.float32, tf.int32, tf.int64, tf.bool, tf.uint8, tf.int8)


@lowers("Tile")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Repeat static ``X`` by the constant ``repeats`` of each dimension."""
    repeats = tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if repeats is None or x.dtype not in TYPES:
        return None
    return [_tiled(x, [int(times) for times in repeats])]


@lowers("Expand")
def lower_expand(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Broadcast static ``X`` with the constant ``shape``, as NumPy broadcasts two arrays with one another."""
    shape, target = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if shape is None or target is None or x.dtype not in TYPES:
        return None
    rank = max(len(shape), len(target))
    before = [1] * (rank - len(shape)) + shape
    after = np.broadcast(np.empty(shape), np.empty([int(size) for size in target])).shape
    if len(shape) < rank:
        x = tf.reshape(x, before)
    return [_tiled(x, [wanted // size for wanted, size in zip(after, before)])]


def _tiled(x: tf.Tensor, repeats: List[int]) -> tf.Tensor:
    return tf.tile(x, repeats) if any(times != 1 for times in repeats) else tf.identity(x)
