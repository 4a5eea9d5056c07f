"""``GatherElements``, ``GatherND`` and the scatters, by the place each entry has in the tensor written out in a row.

TFLite adds no int64 and broadcasts no five dimensions: places are computed in int32, and at build time where they can.
"""

from typing import List, Tuple, Union

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors

Places = Union[np.ndarray, tf.Tensor]
TYPES = (tf.float32, tf.int32, tf.int64)


@lowers("GatherElements")
def lower_gather_elements(node: Node, tensors: Tensors) -> Lowered:
    """From static ``X`` take one entry for each of ``indices``, which replace the position along ``axis``."""
    places = _places_of_elements(node, tensors)
    if isinstance(places, Declined):
        return places
    return [tf.gather(tf.reshape(tensors[node.inputs[0]], [-1]), places)]


@lowers("GatherND")
def lower_gather_nd(node: Node, tensors: Tensors) -> Lowered:
    """From static ``X`` take an entry, or a slice, for each vector of ``indices``; ``batch_dims`` from opset 12 on."""
    found = _places_of_slices(node, tensors, node.attributes.get("batch_dims", 0))
    if isinstance(found, Declined):
        return found
    places, slices, shape = found
    rows = tf.reshape(tensors[node.inputs[0]], [slices, -1])
    return [tf.reshape(tf.gather(rows, places), shape)]


@lowers("Scatter", "ScatterElements")
def lower_scatter_elements(node: Node, tensors: Tensors) -> Lowered:
    """Static ``X`` with the entries that ``indices`` point to along ``axis`` replaced by ``updates``."""
    places, shape = _places_of_elements(node, tensors), tensors.static_shape(node.inputs[0])
    if isinstance(places, Declined) or shape is None:
        return UNKNOWN_SHAPE if shape is None else places
    places = places.reshape(-1) if isinstance(places, np.ndarray) else tf.reshape(places, [-1])
    return _replaced(node, tensors, places, int(np.prod(shape)), shape)


@lowers("ScatterND")
def lower_scatter_nd(node: Node, tensors: Tensors) -> Lowered:
    """Static ``X`` with the entries or slices that the vectors of ``indices`` point to replaced by ``updates``."""
    found, shape = _places_of_slices(node, tensors, 0), tensors.static_shape(node.inputs[0])
    if isinstance(found, Declined):
        return found
    if shape is None:
        return UNKNOWN_SHAPE
    places, slices, _ = found
    return _replaced(node, tensors, places, slices, shape)


def _places_of_elements(node: Node, tensors: Tensors) -> Union[np.ndarray, tf.Tensor, Declined]:
    shape, wanted = tensors.static_shape(node.inputs[0]), tensors.static_shape(node.inputs[1])
    if shape is None or wanted is None:
        return UNKNOWN_SHAPE
    if tensors[node.inputs[0]].dtype not in TYPES:
        return Declined(f"its input is of type {tensors[node.inputs[0]].dtype.name}")
    if len(wanted) != len(shape) or not shape:
        return Declined(f"indices of shape {wanted} do not fit an input of shape {shape}")
    axis = node.attributes["axis"] % len(shape)
    strides = _strides(shape)
    grid = np.indices(wanted)
    elsewhere = sum((grid[other] * strides[other] for other in range(len(shape)) if other != axis), np.zeros(wanted))
    indices = _indices(tensors, node.inputs[1])
    return _wrapped(indices, shape[axis]) * strides[axis] + elsewhere.astype(np.int32)


def _places_of_slices(node: Node, tensors: Tensors, batch: int) -> Union[Tuple[Places, int, List[int]], Declined]:
    """The slices' places in a row, how many slices ``X`` has, and the shape of what a gather makes."""
    shape, wanted = tensors.static_shape(node.inputs[0]), tensors.static_shape(node.inputs[1])
    if shape is None or wanted is None:
        return UNKNOWN_SHAPE
    if tensors[node.inputs[0]].dtype not in TYPES:
        return Declined(f"its input is of type {tensors[node.inputs[0]].dtype.name}")
    if not wanted or not 0 <= batch < len(wanted) or batch + wanted[-1] > len(shape):
        return Declined(f"indices of shape {wanted} do not fit an input of shape {shape}")
    depth = batch + wanted[-1]
    strides = _strides(shape[:depth])
    indices = _indices(tensors, node.inputs[1])
    grid = np.indices(wanted[:-1])
    places = sum((grid[axis] * strides[axis] for axis in range(batch)), np.zeros(wanted[:-1])).astype(np.int32)
    for position in range(wanted[-1]):
        axis = batch + position
        # Spelt out: TFLite 2.4 has no slice with an ellipsis.
        column = indices[(*[slice(None)] * (len(wanted) - 1), position)]
        places = _wrapped(column, shape[axis]) * strides[axis] + places
    flat = places.reshape(-1) if isinstance(places, np.ndarray) else tf.reshape(places, [-1])
    return flat, int(np.prod(shape[:depth])), [*wanted[:-1], *shape[depth:]]


def _replaced(node: Node, tensors: Tensors, places: Places, slices: int, shape: List[int]) -> Lowered:
    x = tf.reshape(tensors[node.inputs[0]], [slices, -1])
    count = int(np.prod(places.shape.as_list() if isinstance(places, tf.Tensor) else places.shape))
    updates = tf.reshape(tensors[node.inputs[2]], [count, -1])
    if isinstance(places, np.ndarray):
        # Every entry's source is known: where two updates meet, the last.
        sources = np.arange(slices, dtype=np.int32)
        sources[places] = np.arange(count, dtype=np.int32) + slices
        return [tf.reshape(tf.gather(tf.concat([x, updates], 0), sources), shape)]
    if x.dtype not in (tf.float32, tf.int32):
        return Declined(f"its input is of type {x.dtype.name}, and its indices are computed")
    where = places[:, None]
    width = int(np.prod(shape)) // slices
    spread = tf.scatter_nd(where, updates, [slices, width])
    hit = tf.scatter_nd(where, tf.ones([count, 1], tf.float32), [slices, 1])
    return [tf.reshape(tf.where(tf.greater(hit, 0.0), spread, x), shape)]


def _indices(tensors: Tensors, name: str) -> Places:
    constant = tensors.constant(name)
    return constant.astype(np.int32) if constant is not None else tf.cast(tensors[name], tf.int32)


def _wrapped(indices: Places, size: int) -> Places:
    """The indices with the negative ones counted from the end."""
    if isinstance(indices, np.ndarray):
        return np.where(indices < 0, indices + size, indices).astype(np.int32)
    return tf.where(tf.less(indices, 0), indices + size, indices)


def _strides(shape: List[int]) -> List[int]:
    return [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
