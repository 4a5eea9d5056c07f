"""``Conv``: plain convolution in one, two and three dimensions, depthwise in one and two.

onnx-tf splits a depthwise convolution into one convolution a channel: 7,171 of them in MobileNetV2. TFLite runs it, and
the plain one, as a single operator.
"""

from typing import List, Optional

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering import old_converter
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.windows import Windows, is_same, same_pads, windows_of
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("Conv")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Convolve ``X`` (N, C, …) with constant ``W`` (M, C / group, k, …)."""
    shape, kernel = tensors.shape(node.inputs[0]), tensors.constant(node.inputs[1])
    if kernel is None:
        return Declined("its weights are computed from the model's inputs")
    if shape is None or len(shape) not in (3, 4, 5) or shape[1] is None:
        return Declined("its input is not known to be of one, two or three spatial dimensions")
    group, sizes = node.attributes["group"], shape[2:]
    if kernel.ndim != len(shape) or kernel.shape[1] * group != shape[1] or kernel.shape[0] % group:
        return Declined(f"weights of shape {list(kernel.shape)} in {group} groups do not fit {shape[1]} channels")
    windows = windows_of(node, kernel.shape[2:], shape[2:])
    if isinstance(windows, Declined):
        return windows
    if group > 1 and (kernel.shape[1] > 1 or len(sizes) > 2):
        # A pass over the ONNX graph has split those that can be.
        return Declined("it convolves three dimensions in groups")
    x = tensors.last(node.inputs[0])
    one_dimension = len(sizes) == 1
    if one_dimension:
        # TFLite convolves in two dimensions only.
        x, kernel, sizes = tf.expand_dims(x, 1), kernel[:, :, None], [1, *sizes]
        windows = Windows([1, *windows.kernel], [1, *windows.strides], [1, *windows.dilations], [(0, 0), *windows.pads])
    y = _convolution(x, kernel, group, windows, sizes, node.name or None)
    shift = node.input(2)
    if shift:
        bias = tensors.constant(shift)
        y = tf.nn.bias_add(y, tensors[shift] if bias is None else bias)
    return [ChannelsLast(tf.squeeze(y, 1) if one_dimension else y)]


def _convolution(
    x: tf.Tensor, kernel: np.ndarray, group: int, windows: Windows, sizes: List[Optional[int]], name: Optional[str]
) -> tf.Tensor:
    """``x`` is (N, …, C), ``kernel`` as ONNX has it."""
    depthwise = group > 1
    # TensorFlow's depthwise kernel takes equal strides only, and on the CPU ignores its dilations without a word: then
    # it convolves at stride 1, in the form TFLite knows for a dilation, and every n-th value is taken.
    in_two_steps = depthwise and (len(set(windows.strides)) > 1 or max(windows.dilations) > 1)
    strides = [1, 1] if in_two_steps else windows.strides
    mode = "SAME" if is_same(windows._replace(strides=strides), sizes) else "VALID"
    if mode == "VALID" and any(map(any, windows.pads)):
        x = tf.pad(x, [(0, 0), *windows.pads, (0, 0)], name=f"{name}_pad" if name else None)
    if depthwise:
        taken = [slice(None, None, stride) for stride in windows.strides]
        if old_converter.IS_OLD and mode == "VALID" and max(windows.dilations) > 1:
            mode, taken = "SAME", _valid_within_same(windows)
        filters = kernel.reshape(group, kernel.shape[0] // group, *kernel.shape[2:]).transpose(2, 3, 0, 1)
        dilations = windows.dilations if in_two_steps else None
        y = tf.nn.depthwise_conv2d(
            x, np.ascontiguousarray(filters), [1, *strides, 1], mode, dilations=dilations, name=name
        )
        return y[(slice(None), *taken)] if in_two_steps and taken != [slice(None, None, 1)] * 2 else y
    return _plain(x, kernel, windows, mode, name)


def _valid_within_same(windows: Windows) -> List[slice]:
    """Where every n-th value of ``VALID`` lies in what ``SAME`` makes at stride 1."""
    slices = []
    for kernel, stride, dilation in zip(windows.kernel, windows.strides, windows.dilations):
        before, after = same_pads(1, kernel, 1, dilation)
        slices.append(slice(before or None, -after or None, stride))
    return slices


def _plain(x: tf.Tensor, kernel: np.ndarray, windows: Windows, mode: str, name: Optional[str]) -> tf.Tensor:
    filters = np.ascontiguousarray(kernel.transpose([*range(2, kernel.ndim), 1, 0]))
    strides, dilations = [1, *windows.strides, 1], [1, *windows.dilations, 1]
    if kernel.ndim == 4:
        return tf.raw_ops.Conv2D(input=x, filter=filters, strides=strides, padding=mode, dilations=dilations, name=name)
    if max(windows.dilations) > 1:
        # The CPU's three-dimensional kernel refuses dilations; zeros between the weights are the same convolution.
        filters = _with_zeros(filters, windows.dilations)
    return tf.raw_ops.Conv3D(input=x, filter=filters, strides=strides, padding=mode, name=name)


def _with_zeros(filters: np.ndarray, dilations: List[int]) -> np.ndarray:
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(filters.shape, dilations)]
    spread = np.zeros([*reach, *filters.shape[len(dilations) :]], filters.dtype)
    spread[tuple(slice(None, None, dilation) for dilation in dilations)] = filters
    return spread
