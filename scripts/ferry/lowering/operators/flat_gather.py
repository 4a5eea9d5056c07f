"""``GatherElements``, ``GatherND`` and the scatters, by the place each entry has in the tensor written out in a row.

TFLite adds no int64 and broadcasts no five dimensions: places are computed in int32, and at build time where they can.
"""

from typing import List, Optional, Tuple, Union

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors

Places = Union[np.ndarray, tf.Tensor]
TYPES = (tf.float32, tf.int32, tf.int64)


@lowers("GatherElements")
def lower_gather_elements(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """From static ``X`` take one entry for each of ``indices``, which replace the position along ``axis``."""
    places = _places_of_elements(node, tensors)
    if places is None:
        return None
    return [tf.gather(tf.reshape(tensors[node.inputs[0]], [-1]), places)]


@lowers("GatherND")
def lower_gather_nd(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """From static ``X`` take an entry, or a slice, for each vector of ``indices``; ``batch_dims`` from opset 12 on."""
    found = _places_of_slices(node, tensors, node.attrs.get("batch_dims", 0))
    if found is None:
        return None
    places, slices, shape = found
    rows = tf.reshape(tensors[node.inputs[0]], [slices, -1])
    return [tf.reshape(tf.gather(rows, places), shape)]


@lowers("Scatter", "ScatterElements")
def lower_scatter_elements(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Static ``X`` with the entries that ``indices`` point to along ``axis`` replaced by ``updates``."""
    places, shape = _places_of_elements(node, tensors), tensors.static_shape(node.inputs[0])
    if places is None or shape is None:
        return None
    places = places.reshape(-1) if isinstance(places, np.ndarray) else tf.reshape(places, [-1])
    return _replaced(node, tensors, places, int(np.prod(shape)), shape)


@lowers("ScatterND")
def lower_scatter_nd(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Static ``X`` with the entries or slices that the vectors of ``indices`` point to replaced by ``updates``."""
    found, shape = _places_of_slices(node, tensors, 0), tensors.static_shape(node.inputs[0])
    if found is None or shape is None:
        return None
    places, slices, _ = found
    return _replaced(node, tensors, places, slices, shape)


def _places_of_elements(node: OnnxNode, tensors: Tensors) -> Optional[Places]:
    shape, wanted = tensors.static_shape(node.inputs[0]), tensors.static_shape(node.inputs[1])
    if shape is None or wanted is None or tensors[node.inputs[0]].dtype not in TYPES:
        return None
    axis = node.attrs.get("axis", 0) % len(shape)
    strides = _strides(shape)
    grid = np.indices(wanted)
    elsewhere = sum((grid[other] * strides[other] for other in range(len(shape)) if other != axis), np.zeros(wanted))
    indices = _indices(tensors, node.inputs[1])
    return _wrapped(indices, shape[axis]) * strides[axis] + elsewhere.astype(np.int32)


def _places_of_slices(node: OnnxNode, tensors: Tensors, batch: int) -> Optional[Tuple[Places, int, List[int]]]:
    """The slices' places in a row, how many slices ``X`` has, and the shape of what a gather makes."""
    shape, wanted = tensors.static_shape(node.inputs[0]), tensors.static_shape(node.inputs[1])
    if shape is None or wanted is None or tensors[node.inputs[0]].dtype not in TYPES:
        return None
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


def _replaced(node: OnnxNode, tensors: Tensors, places: Places, slices: int, shape: List[int]) -> Optional[List[Made]]:
    x = tf.reshape(tensors[node.inputs[0]], [slices, -1])
    count = int(np.prod(places.shape.as_list() if isinstance(places, tf.Tensor) else places.shape))
    updates = tf.reshape(tensors[node.inputs[2]], [count, -1])
    if isinstance(places, np.ndarray):
        # Every entry's source is known: where two updates meet, the last.
        sources = np.arange(slices, dtype=np.int32)
        sources[places] = np.arange(count, dtype=np.int32) + slices
        return [tf.reshape(tf.gather(tf.concat([x, updates], 0), sources), shape)]
    if x.dtype not in (tf.float32, tf.int32):
        return None
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
