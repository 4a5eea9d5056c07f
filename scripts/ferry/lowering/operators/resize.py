"""``Resize`` and ``Upsample`` in the modes that PyTorch exports, in two dimensions."""

from typing import List, Optional

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("Resize", "Upsample", order=1)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Resize static ``X`` (N, C, H, W) by constant scales or to constant sizes."""
    shape = tensors.static_shape(node.inputs[0])
    if shape is None or len(shape) != 4:
        return Declined("its input is not known to be an image")
    target = _target(node, tensors, shape)
    if target is None or target[:2] != shape[:2]:
        return Declined("its new size is not constant, or its scales are no ratio of whole sizes")
    height_width = target[2:]
    mode = node.attributes["mode"]
    # Before opset 11 there was one way of rounding only, and a position was always scaled from the corner.
    rounding = node.attributes.get("nearest_mode", "floor")
    position = node.attributes.get("coordinate_transformation_mode", "asymmetric")
    x = tensors.last(node.inputs[0])
    if mode == "nearest" and position == "asymmetric":
        if rounding != "floor":
            return Declined(f"it rounds by {rounding}")
        return [ChannelsLast(tf.compat.v1.image.resize_nearest_neighbor(x, height_width))]
    if mode == "linear" and position == "align_corners":
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width, align_corners=True))]
    if mode == "linear" and (position == "half_pixel" or (position == "pytorch_half_pixel" and min(height_width) > 1)):
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width, half_pixel_centers=True))]
    if mode == "linear" and position == "asymmetric":
        return [ChannelsLast(tf.compat.v1.image.resize_bilinear(x, height_width))]
    return Declined(f"its mode is {mode}, {position}")


def _target(node: Node, tensors: Tensors, shape: List[int]) -> Optional[List[int]]:
    wanted = node.input(3)
    if wanted:
        sizes = tensors.constant(wanted)
        return None if sizes is None or sizes.ndim != 1 else [int(size) for size in sizes]
    scales = scales_of(node, tensors)
    if scales is None or len(scales) != len(shape):
        return None
    exact = [size * float(scale) for size, scale in zip(shape, scales)]
    # TensorFlow scales by the ratio of the sizes, which is another one where they had to be rounded.
    return [int(size) for size in exact] if all(size == int(size) for size in exact) else None


def scales_of(node: Node, tensors: Tensors) -> Optional[np.ndarray]:
    """The factor of each dimension; ``None`` where it is computed, or there are none."""
    # Opset 11 put the region of interest before the scales; opsets 7 and 8 have them as an attribute.
    name = node.input(2 if len(node.inputs) > 2 else 1)
    scales = tensors.constant(name) if name else np.array(node.attributes.get("scales", []))
    return scales if scales is not None and scales.ndim == 1 and np.isfinite(scales).all() else None
