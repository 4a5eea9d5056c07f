"""Maximum pools that TFLite has no kernel for: dilated, in three dimensions, or with the indices of the maxima."""

from functools import reduce
from typing import List, Tuple

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOAT32, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.pool import NO_INPUT_SEEN, padding_of
from ferry.lowering.operators.windows import Pads, Windows, windows_of
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("MaxPool", order=2)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """``MaxPool`` of static float ``X`` (N, C, …), with or without ``Indices``."""
    shape = tensors.static_shape(node.inputs[0])
    if shape is None or len(shape) not in (3, 4, 5):
        return Declined("its input is not of static shape with one, two or three spatial dimensions")
    windows = windows_of(node, node.attributes["kernel_shape"], shape[2:])
    if isinstance(windows, Declined):
        return windows
    x = tensors.last(node.inputs[0])
    if x.dtype != tf.float32:
        return NOT_FLOAT32
    pads = padding_of(node, windows, shape[2:])
    if pads is None:
        return NO_INPUT_SEEN
    reaching = windows._replace(pads=pads)
    padded = _padded(x, pads)
    if not any(node.outputs[1:]):
        return [ChannelsLast(_separately(padded, reaching))]
    if node.attributes["storage_order"]:
        return Declined("its indices count down the columns")
    y, indices = _with_indices(padded, reaching, shape)
    return [ChannelsLast(y), ChannelsLast(indices)]


def _padded(x: tf.Tensor, pads: Pads) -> tf.Tensor:
    """``x`` with the lowest of all values around it; TFLite 2.4 pads four dimensions at most."""
    if not any(map(any, pads)):
        return x
    if len(pads) < 3:
        return tf.pad(x, [(0, 0), *pads, (0, 0)], constant_values=x.dtype.min)
    batch, depth, height, width, channels = x.shape.as_list()
    deeper = _padded(tf.reshape(x, [batch, depth, height * width, channels]), [pads[0], (0, 0)])
    depth += sum(pads[0])
    flat = _padded(tf.reshape(deeper, [batch * depth, height, width, channels]), pads[1:])
    return tf.reshape(flat, [batch, depth, *flat.shape.as_list()[1:]])


def _separately(x: tf.Tensor, windows: Windows) -> tf.Tensor:
    """A maximum over a window is one over its rows and then over their columns."""
    for axis, (size, stride, dilation) in enumerate(zip(windows.kernel, windows.strides, windows.dilations), start=1):
        x = reduce(tf.maximum, [_tap(x, axis, size, stride, dilation, tap) for tap in range(size)])
    return x


def _tap(x: tf.Tensor, axis: int, size: int, stride: int, dilation: int, tap: int) -> tf.Tensor:
    steps = (x.shape.as_list()[axis] - (size - 1) * dilation - 1) // stride
    kept = [slice(None)] * x.shape.rank
    kept[axis] = slice(tap * dilation, tap * dilation + steps * stride + 1, stride)
    return x[tuple(kept)]


def _with_indices(x: tf.Tensor, windows: Windows, shape: List[int]) -> Tuple[tf.Tensor, tf.Tensor]:
    """The maxima, and where in the (N, C, …) tensor written out in a row each first stands."""
    taps = list(np.ndindex(*windows.kernel))
    candidates = []
    for tap in taps:
        part = x
        for axis, each in enumerate(zip(windows.kernel, windows.strides, windows.dilations, tap), start=1):
            part = _tap(part, axis, *each)
        candidates.append(part)
    stacked = tf.stack(candidates, axis=-1)
    chosen = tf.argmax(stacked, -1, tf.int32)
    rows = np.array([int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))])
    reach = np.array(taps) @ (np.array(windows.dilations) * rows[2:])
    grid = np.indices(candidates[0].shape.as_list())
    corner = grid[0] * rows[0] + grid[-1] * rows[1]
    for axis, (stride, (before, _)) in enumerate(zip(windows.strides, windows.pads)):
        corner = corner + (grid[axis + 1] * stride - before) * rows[axis + 2]
    places = tf.gather(tf.constant(reach.astype(np.int32)), chosen) + corner.astype(np.int32)
    return tf.reduce_max(stacked, -1), tf.cast(places, tf.int64)
