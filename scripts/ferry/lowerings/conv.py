"""``Conv``: plain and depthwise convolution in two dimensions.

onnx-tf splits a depthwise convolution into one convolution a channel: 7,171 of them in MobileNetV2. TFLite runs each
of the two forms here as a single operator.
"""

from typing import Dict, List, Optional, Tuple

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode


def lower(node: OnnxNode, tensors: Dict[str, tf.Tensor]) -> Optional[List[tf.Tensor]]:
    """Return the (N, M, H', W') convolution of ``X`` (N, C, H, W) with constant ``W`` (M, C / group, kH, kW)."""
    x = tensors[node.inputs[0]]
    kernel = tf.get_static_value(tensors[node.inputs[1]])
    bias = tensors[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
    if kernel is None or kernel.ndim != 4 or x.shape.rank != 4 or x.shape[1] is None:
        return None
    group = node.attrs.get("group", 1)
    depthwise = group > 1 and group == x.shape[1]
    if group > 1 and not depthwise:
        return None
    strides = node.attrs.get("strides", [1, 1])
    dilations = node.attrs.get("dilations", [1, 1])
    # TensorFlow's depthwise kernel takes equal strides only, and on the CPU ignores its dilations without a word.
    in_two_steps = depthwise and (strides[0] != strides[1] or max(dilations) > 1)
    padding = _padding(node, x, kernel.shape[2:], [1, 1] if in_two_steps else strides, dilations)
    if padding is None:
        return None
    mode, pads = padding
    name = node.name or None
    if mode == "PAD":
        x = tf.pad(x, [[0, 0], [0, 0], *pads], name=f"{name}_pad" if name else None)
        mode = "VALID"
    if in_two_steps:
        y = _dilated_depthwise(x, _depthwise_filters(kernel, group), strides, mode, dilations, name)
    elif depthwise:
        y = tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=_depthwise_filters(kernel, group), strides=[1, 1, *strides], padding=mode,
            data_format="NCHW", name=name,
        )  # fmt: skip
    else:
        y = tf.raw_ops.Conv2D(
            input=x, filter=np.ascontiguousarray(kernel.transpose(2, 3, 1, 0)), strides=[1, 1, *strides], padding=mode,
            data_format="NCHW", dilations=[1, 1, *dilations], name=name,
        )  # fmt: skip
    if bias is not None:
        y = tf.nn.bias_add(y, bias, data_format="NCHW")
    return [y]


def _depthwise_filters(kernel: np.ndarray, group: int) -> np.ndarray:
    """ONNX's (C · multiplier, 1, kH, kW) as TensorFlow's (kH, kW, C, multiplier)."""
    split = kernel.reshape(group, kernel.shape[0] // group, *kernel.shape[2:])
    return np.ascontiguousarray(split.transpose(2, 3, 0, 1))


def _dilated_depthwise(
    x: tf.Tensor, filters: np.ndarray, strides: List[int], mode: str, dilations: List[int], name: Optional[str]
) -> tf.Tensor:
    """Convolve at stride 1, in NHWC, where TFLite knows TensorFlow's form of a dilation; then take every n-th value."""
    y = tf.nn.depthwise_conv2d(
        tf.transpose(x, [0, 2, 3, 1]), filters, strides=[1, 1, 1, 1], padding=mode, dilations=dilations, name=name
    )
    if max(strides) > 1:
        y = y[:, :: strides[0], :: strides[1], :]
    return tf.transpose(y, [0, 3, 1, 2])


def _padding(
    node: OnnxNode, x: tf.Tensor, kernel: Tuple[int, int], strides: List[int], dilations: List[int]
) -> Optional[Tuple[str, List[Tuple[int, int]]]]:
    """TensorFlow's padding mode and, for mode ``PAD``, the (before, after) pairs of height and width."""
    auto = node.attrs.get("auto_pad", "NOTSET")
    if auto not in ("NOTSET", "VALID"):
        # SAME_UPPER and SAME_LOWER are never exported by PyTorch; onnx-tf handles or refuses them.
        return None
    top, left, bottom, right = node.attrs.get("pads", [0, 0, 0, 0])
    if auto == "VALID" or not any((top, left, bottom, right)):
        return "VALID", []
    pads = [(top, bottom), (left, right)]
    sizes = x.shape[2:].as_list()
    same = [_same_pads(*each) for each in zip(sizes, kernel, strides, dilations)]
    return ("SAME", []) if same == pads else ("PAD", pads)


def _same_pads(size: Optional[int], kernel: int, stride: int, dilation: int) -> Optional[Tuple[int, int]]:
    """What TensorFlow's ``SAME`` pads before and after a dimension; ``None`` where that depends on its unknown size."""
    reach = (kernel - 1) * dilation + 1
    if size is None and stride > 1:
        return None
    total = reach - 1 if size is None else max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2
