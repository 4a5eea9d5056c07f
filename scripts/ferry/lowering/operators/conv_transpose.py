"""``ConvTranspose``: transposed convolution in one and two dimensions, in groups or not."""

from typing import List

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.windows import windows_of
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("ConvTranspose")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Spread static ``X`` (N, C, …) by constant ``W`` (C, M / group, k, …)."""
    shape, kernel = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    attributes = node.attributes
    if kernel is None:
        return Declined("its weights are computed from the model's inputs")
    if shape is None or len(shape) not in (3, 4):
        return Declined("its input is not known to be of one or two spatial dimensions")
    group = attributes["group"]
    if kernel.ndim != len(shape) or kernel.shape[0] != shape[1] or shape[1] % group:
        return Declined(f"weights of shape {list(kernel.shape)} in {group} groups do not fit {shape[1]} channels")
    if attributes["auto_pad"] != "NOTSET" or "output_shape" in attributes:
        return Declined("its padding is not given as numbers")
    windows = windows_of(node, kernel.shape[2:], shape[2:])
    if isinstance(windows, Declined):
        return windows
    if max(windows.dilations) > 1:
        return Declined("it is dilated")
    rank = len(shape) - 2
    strides, pads = windows.strides, [list(pair) for pair in windows.pads]
    extra = list(attributes.get("output_padding", [0] * rank))
    x = tensors.last(node.inputs[0])
    if rank == 1:
        # TFLite convolves in two dimensions only.
        x, kernel = tf.expand_dims(x, 1), kernel[:, :, None]
        strides, pads, extra = [1, *strides], [[0, 0], *pads], [0, *extra]
    parts = zip(tf.split(x, group, axis=-1) if group > 1 else [x], np.split(kernel, group))
    spread = [_spread(part, weight, strides) for part, weight in parts]
    y = _cropped(tf.concat(spread, axis=-1) if group > 1 else spread[0], pads, extra)
    bias = node.input(2)
    if bias:
        y = tf.nn.bias_add(y, tensors[bias])
    return [ChannelsLast(tf.squeeze(y, 1) if rank == 1 else y)]


def _spread(x: tf.Tensor, kernel: np.ndarray, strides: List[int]) -> tf.Tensor:
    """Every input value times the whole kernel, summed where the kernels overlap; nothing cropped."""
    batch, *sizes, _ = x.shape.as_list()
    full = [stride * (size - 1) + reach for size, stride, reach in zip(sizes, strides, kernel.shape[2:])]
    filters = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))
    return tf.nn.conv2d_transpose(x, filters, [batch, *full, kernel.shape[1]], strides, padding="VALID")


def _cropped(y: tf.Tensor, pads: List[List[int]], extra: List[int]) -> tf.Tensor:
    """Crop by ``pads``, and lengthen the ends by ``extra``: as far as less cropping does, and by zeros beyond it."""
    slices, zeros = [slice(None)], [(0, 0)]
    for size, (before, after), more in zip(y.shape.as_list()[1:-1], pads, extra):
        end = size - after + more
        slices.append(slice(before, min(end, size)))
        zeros.append((0, max(end - size, 0)))
    if any(map(any, pads)):
        y = y[tuple(slices)]
    return tf.pad(y, [*zeros, (0, 0)]) if any(map(any, zeros)) else y
