"""``Resize`` in every mode, as sums of rows taken at constant places: what TFLite's two kernels do not cover.

The formulas of positions and weights are those of ONNX's specification of ``Resize`` 11.
"""

from typing import Callable, Dict, List, Optional, Tuple

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.resize import scales_of
from ferry.lowering.tensors import ChannelsLast, Tensors, last_axis_of

# Which entries each new one is a sum of, and by what weights: both (new size, taps).
Taps = Tuple[np.ndarray, np.ndarray]


@lowers("Resize", "Upsample", order=2)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Resize static float ``X`` by constant scales or to constant sizes, one dimension after the other."""
    shape = tensors.static_shape(node.inputs[0])
    if not shape:
        return Declined(UNKNOWN_SHAPE.reason, onnx_tf_differs=node.operator == "Resize")
    scales = _scales(node, tensors, shape)
    if scales is None or any(after < 1 for _, after in scales):
        return Declined(
            "its new size is computed from the model's inputs, or is nothing", onnx_tf_differs=node.operator == "Resize"
        )
    position, mode = node.attributes.get("coordinate_transformation_mode", "asymmetric"), node.attributes["mode"]
    if position not in POSITIONS or mode not in TAPS or node.attributes.get("nearest_mode", "floor") not in ROUNDINGS:
        return Declined(f"its mode is {mode}, {position}", onnx_tf_differs=node.operator == "Resize")
    last = len(shape) in (3, 4, 5)
    x = tensors.last(node.inputs[0]) if last else tensors[node.inputs[0]]
    if not x.dtype.is_floating:
        return Declined(NOT_FLOATING_POINT.reason, onnx_tf_differs=node.operator == "Resize")
    for axis, (size, (scale, after)) in enumerate(zip(shape, scales)):
        if after == size and scale == 1:
            continue
        places = POSITIONS[position](np.arange(after, dtype=np.float64), scale, size, after)
        x = _resized(x, last_axis_of(axis, len(shape)) if last else axis, TAPS[mode](node, places, size))
    return [ChannelsLast(x) if last else x]


def _resized(x: tf.Tensor, axis: int, taps: Taps) -> tf.Tensor:
    indices, weights = taps
    spread = [1] * x.shape.rank
    spread[axis] = len(indices)
    terms = []
    for tap in range(indices.shape[1]):
        if not weights[:, tap].any():
            continue
        rows = tf.gather(x, indices[:, tap].astype(np.int32), axis=axis)
        factor = weights[:, tap].astype(x.dtype.as_numpy_dtype)
        terms.append(rows if (factor == 1).all() else rows * factor.reshape(spread))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _scales(node: Node, tensors: Tensors, shape: List[int]) -> Optional[List[Tuple[float, int]]]:
    """For each dimension the scale and the new size."""
    wanted = node.input(3)
    if wanted:
        sizes = tensors.constant(wanted)
        if sizes is None or sizes.shape != (len(shape),):
            return None
        return [(int(after) / size, int(after)) for after, size in zip(sizes, shape)]
    scales = scales_of(node, tensors)
    if scales is None or len(scales) != len(shape):
        return None
    return [(float(scale), int(np.floor(size * float(scale)))) for scale, size in zip(scales, shape)]


def _half_pixel(x, scale, _size, _after):
    return (x + 0.5) / scale - 0.5


POSITIONS: Dict[str, Callable[..., np.ndarray]] = {
    "align_corners": lambda x, _, size, after: x * ((size - 1) / (after - 1)) if after > 1 else 0 * x,
    "asymmetric": lambda x, scale, *_: x / scale,
    "half_pixel": _half_pixel,
    "pytorch_half_pixel": lambda x, scale, size, after: _half_pixel(x, scale, size, after) if after > 1 else 0 * x,
    "tf_half_pixel_for_nn": lambda x, scale, *_: (x + 0.5) / scale,
}


ROUNDINGS: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ceil": np.ceil,
    "floor": np.floor,
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
}


def _nearest(node: Node, places: np.ndarray, size: int) -> Taps:
    # Before opset 11 there was one way only.
    rounded = ROUNDINGS[node.attributes.get("nearest_mode", "floor")](places)
    indices = np.clip(rounded, 0, size - 1)
    return indices[:, None], np.ones([len(places), 1])


def _linear(node: Node, places: np.ndarray, size: int) -> Taps:
    inside = np.clip(places, 0, size - 1)
    before = np.floor(inside)
    indices = np.stack([before, np.minimum(before + 1, size - 1)], 1)
    share = inside - before
    return indices, np.stack([1 - share, share], 1)


def _cubic(node: Node, places: np.ndarray, size: int) -> Taps:
    a = node.attributes["cubic_coeff_a"]
    before = np.floor(places)
    indices = before[:, None] + np.arange(-1, 3)
    distance = np.abs(places[:, None] - indices)
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    if node.attributes["exclude_outside"]:
        weights = np.where((indices >= 0) & (indices < size), weights, 0.0)
        weights /= weights.sum(1, keepdims=True)
    return np.clip(indices, 0, size - 1), weights


TAPS: Dict[str, Callable[[Node, np.ndarray, int], Taps]] = {"cubic": _cubic, "linear": _linear, "nearest": _nearest}
