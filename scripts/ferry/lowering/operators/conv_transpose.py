"""``ConvTranspose``: transposed convolution in one and two dimensions, in groups or not."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import ChannelsLast, Made, Tensors


@lowers("ConvTranspose")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Spread static ``X`` (N, C, …) by constant ``W`` (C, M / group, k, …)."""
    shape, kernel = tensors.static_shape(node.inputs[0]), tensors.constant(node.inputs[1])
    attributes = node.attrs
    if shape is None or kernel is None or len(shape) not in (3, 4):
        return None
    if attributes.get("auto_pad", "NOTSET") != "NOTSET" or "output_shape" in attributes:
        return None
    rank = len(shape) - 2
    if max(attributes.get("dilations", [1])) > 1:
        return None
    strides = list(attributes.get("strides", [1] * rank))
    flat = attributes.get("pads", [0] * 2 * rank)
    pads = [list(pair) for pair in zip(flat[:rank], flat[rank:])]
    extra = list(attributes.get("output_padding", [0] * rank))
    x = tensors.last(node.inputs[0])
    if rank == 1:
        # TFLite convolves in two dimensions only.
        x, kernel = tf.expand_dims(x, 1), kernel[:, :, None]
        strides, pads, extra = [1, *strides], [[0, 0], *pads], [0, *extra]
    group = attributes.get("group", 1)
    parts = zip(tf.split(x, group, axis=-1) if group > 1 else [x], np.split(kernel, group))
    spread = [_spread(part, weight, strides) for part, weight in parts]
    y = _cropped(tf.concat(spread, axis=-1) if group > 1 else spread[0], pads, extra)
    if len(node.inputs) > 2 and node.inputs[2]:
        y = tf.nn.bias_add(y, tensors[node.inputs[2]])
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
