"""``Resize`` and ``Upsample`` in the modes that PyTorch exports, in two dimensions."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import ChannelsLast, Made, Tensors


@lowers("Resize", "Upsample", order=1)
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Resize static ``X`` (N, C, H, W) by constant scales or to constant sizes."""
    shape = tensors.static_shape(node.inputs[0])
    if shape is None or len(shape) != 4:
        return None
    target = _target(node, tensors, shape)
    if target is None or target[:2] != shape[:2]:
        return None
    height_width = target[2:]
    mode = node.attrs.get("mode", "nearest")
    # Before opset 11 there was one way of rounding only.
    rounding = node.attrs.get("nearest_mode", "round_prefer_floor" if len(node.inputs) > 2 else "floor")
    # Before opset 11 a position is always scaled from the corner.
    position = node.attrs.get("coordinate_transformation_mode", "asymmetric" if len(node.inputs) < 3 else "half_pixel")
    x = tensors.last(node.inputs[0])
    if mode == "nearest" and position == "asymmetric":
        if rounding != "floor":
            return None
        return [ChannelsLast(tf.compat.v1.image.resize_nearest_neighbor(x, height_width))]
    if mode == "linear" and position == "align_corners":
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width, align_corners=True))]
    if mode == "linear" and (position == "half_pixel" or (position == "pytorch_half_pixel" and min(height_width) > 1)):
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width, half_pixel_centers=True))]
    if mode == "linear" and position == "asymmetric":
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width))]
    return None


def _target(node: OnnxNode, tensors: Tensors, shape: List[int]) -> Optional[List[int]]:
    if len(node.inputs) > 3 and node.inputs[3]:
        sizes = tensors.constant(node.inputs[3])
        return None if sizes is None else [int(size) for size in sizes]
    if len(node.inputs) > 1:
        # Opset 11 put the region of interest before the scales.
        scales = tensors.constant(node.inputs[2 if len(node.inputs) > 2 else 1])
    else:
        scales = node.attrs.get("scales")
    if scales is None or len(scales) != len(shape):
        return None
    exact = [size * float(scale) for size, scale in zip(shape, scales)]
    # TensorFlow scales by the ratio of the sizes, which is another one where they had to be rounded.
    return [int(size) for size in exact] if all(size == int(size) for size in exact) else None
