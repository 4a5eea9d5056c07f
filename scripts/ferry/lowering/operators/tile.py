"""``Expand`` and ``Tile`` with constant shapes: TFLite 2.4 has a kernel for tiling and none for broadcasting."""

from typing import List

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors

TYPES = (tf.float32, tf.int32, tf.int64, tf.bool, tf.uint8, tf.int8)


@lowers("Tile")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Repeat static ``X`` by the constant ``repeats`` of each dimension."""
    repeats = tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if repeats is None:
        return Declined("how often it repeats is computed from the model's inputs")
    if x.dtype not in TYPES:
        return Declined(f"its input is of type {x.dtype.name}")
    return [_tiled(x, [int(times) for times in repeats])]


@lowers("Expand")
def lower_expand(node: Node, tensors: Tensors) -> Lowered:
    """Broadcast static ``X`` with the constant ``shape``, as NumPy broadcasts two arrays with one another."""
    shape, target = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    x = tensors[node.inputs[0]]
    if shape is None or target is None:
        return Declined("the shape of its input, or the one it makes, depends on the values of the model's inputs")
    if x.dtype not in TYPES:
        return Declined(f"its input is of type {x.dtype.name}")
    rank = max(len(shape), len(target))
    before = [1] * (rank - len(shape)) + shape
    wanted = [1] * (rank - len(target)) + [int(size) for size in target]
    if any(1 not in (own, other) and own != other for own, other in zip(before, wanted)) or min(wanted, default=1) < 1:
        return Declined(f"an input of shape {shape} does not broadcast with {wanted}")
    after = [max(own, other) for own, other in zip(before, wanted)]
    if len(shape) < rank:
        x = tf.reshape(x, before)
    return [_tiled(x, [size // own for size, own in zip(after, before)])]


def _tiled(x: tf.Tensor, repeats: List[int]) -> tf.Tensor:
    return tf.tile(x, repeats) if any(times != 1 for times in repeats) else tf.identity(x)
