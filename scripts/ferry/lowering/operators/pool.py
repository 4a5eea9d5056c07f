"""``MaxPool`` and ``AveragePool`` in one and two dimensions, with any padding and with ceil mode."""

from typing import List, Optional, Tuple

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.windows import Windows, is_same, windows_of
from ferry.lowering.tensors import ChannelsLast, Tensors, same_layout

NO_INPUT_SEEN = Declined("a window would see its padding alone")


@lowers("AveragePool", "MaxPool", order=1)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Pool static float ``X`` (N, C, …)."""
    shape = tensors.static_shape(node.inputs[0])
    if shape is None or len(shape) not in (3, 4):
        return Declined("its input is not of static shape with one or two spatial dimensions")
    if any(node.outputs[1:]):
        return Declined("it makes the indices of the maxima")
    sizes = shape[2:]
    windows = windows_of(node, node.attributes["kernel_shape"], sizes)
    if isinstance(windows, Declined):
        return windows
    if max(windows.dilations) > 1:
        return Declined("it is dilated")
    if max(windows.kernel + windows.strides) == 1 and not any(map(any, windows.pads)):
        # An adaptive pool of what has its size already, as in VGG.
        as_it_is, last = tensors.either(node.inputs[0])
        return [same_layout(last, as_it_is)]
    x = tensors.last(node.inputs[0])
    if not x.dtype.is_floating:
        return NOT_FLOATING_POINT
    one_dimension = len(sizes) == 1
    if one_dimension:
        # TFLite pools in two dimensions only.
        x, sizes = tf.expand_dims(x, 1), [1, *sizes]
        windows = Windows([1, *windows.kernel], [1, *windows.strides], [1, 1], [(0, 0), *windows.pads])
    pads = padding_of(node, windows, sizes)
    if pads is None:
        return NO_INPUT_SEEN
    reaching = windows._replace(pads=pads)
    if node.operator == "MaxPool":
        y = _max(x, reaching, sizes)
    else:
        y = _average(x, windows, reaching, sizes, bool(node.attributes["count_include_pad"]))
    return [ChannelsLast(tf.squeeze(y, 1) if one_dimension else y)]


def padding_of(node: Node, windows: Windows, sizes: List[int]) -> Optional[List[Tuple[int, int]]]:
    """What to pad before and after each spatial dimension; ``None`` where a window would see no input at all."""
    return _with_ceil(windows, sizes) if node.attributes.get("ceil_mode", 0) else _as_far_as_reached(windows, sizes)


def _as_far_as_reached(windows: Windows, sizes: List[int]) -> List[Tuple[int, int]]:
    """The padding less what no window reaches at the end: it would only be added to be ignored."""
    pads = []
    for size, kernel, stride, dilation, (before, after) in zip(sizes, *windows):
        reach = (kernel - 1) * dilation + 1
        steps = (size + before + after - reach) // stride
        pads.append((before, max(steps * stride + reach - size - before, 0)))
    return pads


def _with_ceil(windows: Windows, sizes: List[int]) -> Optional[List[Tuple[int, int]]]:
    """The padding with what PyTorch's ceil mode adds at the end; ``None`` where a window would see no input at all.

    PyTorch leaves out a last window that starts beyond the input, but only where it pads.
    """
    pads = []
    for size, kernel, stride, dilation, (before, after) in zip(sizes, *windows):
        reach = (kernel - 1) * dilation + 1
        steps = -(-(size + before + after - reach) // stride)
        if before and steps * stride >= size + before:
            steps -= 1
        if steps * stride >= size + before:
            return None
        pads.append((before, max(steps * stride + reach - size - before, 0)))
    return pads


def _max(x: tf.Tensor, windows: Windows, sizes: List[int]) -> tf.Tensor:
    if is_same(windows, sizes):
        return tf.nn.max_pool2d(x, windows.kernel, windows.strides, "SAME")
    if any(map(any, windows.pads)):
        x = tf.pad(x, [(0, 0), *windows.pads, (0, 0)], constant_values=x.dtype.min)
    return tf.nn.max_pool2d(x, windows.kernel, windows.strides, "VALID")


def _average(x: tf.Tensor, windows: Windows, reaching: Windows, sizes: List[int], count_pads: bool) -> tf.Tensor:
    if not count_pads and is_same(reaching, sizes):
        # TensorFlow's SAME does not count its padding.
        return tf.nn.avg_pool2d(x, windows.kernel, windows.strides, "SAME")
    if any(map(any, reaching.pads)):
        x = tf.pad(x, [(0, 0), *reaching.pads, (0, 0)])
    y = tf.nn.avg_pool2d(x, windows.kernel, windows.strides, "VALID")
    correction = _correction(windows, reaching, sizes, count_pads)
    return y if (correction == 1).all() else y * correction.astype(x.dtype.as_numpy_dtype)


def _correction(windows: Windows, reaching: Windows, sizes: List[int], count_pads: bool) -> np.ndarray:
    """Kernel elements over those that count, (1, H', W', 1): the average was taken over all of the kernel."""
    ratios = []
    for size, kernel, stride, pads, reach in zip(sizes, windows.kernel, windows.strides, windows.pads, reaching.pads):
        counts = np.zeros(size + sum(reach))
        counted = slice(0, size + sum(pads)) if count_pads else slice(pads[0], pads[0] + size)
        counts[counted] = 1
        starts = range(0, len(counts) - kernel + 1, stride)
        ratios.append(np.array([kernel / counts[start : start + kernel].sum() for start in starts]))
    return np.outer(*ratios)[None, :, :, None]
