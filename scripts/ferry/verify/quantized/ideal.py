"""The ideal quantizer: steps from the ranges that Ferry measured, and from the float weights, never from the file."""

from typing import Optional, Tuple

import numpy as np

from ferry.verify.quantized.network import Operator, Steps, Tensor

_SMALLEST = 1e-12
# The weights' integers are -127 to 127.
_LARGEST_WEIGHT = 127
# The standard deviation of a number rounded to the nearest step, in steps.
ROUNDING = 1 / np.sqrt(12)
# Operators whose output has steps of its own by the specification of TFLite's int8, whatever was measured.
FIXED = {
    "LOGISTIC": (1 / 256, -128.0),
    "SOFTMAX": (1 / 256, -128.0),
    "LOG_SOFTMAX": (16 / 256, 127.0),
    "TANH": (1 / 128, 0.0),
    "L2_NORMALIZATION": (1 / 128, 0.0),
}
# The axis along which the weights of an operator have a step for each place, by the same specification.
CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0}
WEIGHTED = (*CHANNEL_AXIS, "FULLY_CONNECTED")
# Which input of such an operator is what.
WEIGHTS = 1


def data_place(kind: str) -> int:
    """The place among the inputs of an operator with weights of what they are applied to."""
    return 2 if kind == "TRANSPOSE_CONV" else 0


def bias_place(kind: str) -> int:
    """The place of the bias among the inputs of an operator with weights."""
    return 3 if kind == "TRANSPOSE_CONV" else 2


def steps_of(low: float, high: float, dtype: np.dtype) -> Steps:
    """The steps that hold ``low`` to ``high`` and zero; those of int16 lie on both sides of zero alike."""
    low, high, bounds = min(low, 0.0), max(high, 0.0), np.iinfo(dtype)
    if dtype == np.int16:
        scale = max(-low, high, _SMALLEST) / bounds.max
        return Steps(np.array([scale]), np.array([0.0]), 0)
    scale = max((high - low) / (bounds.max - bounds.min), _SMALLEST)
    return Steps(np.array([scale]), np.array([np.rint(bounds.min - low / scale)]), 0)


def fixed_steps(kind: str) -> Optional[Steps]:
    """The steps of the output of an operator for which the specification says them, in int8."""
    if kind not in FIXED:
        return None
    scale, zero = FIXED[kind]
    return Steps(np.array([scale]), np.array([zero]), 0)


def rounded(values: np.ndarray, steps: Steps, dtype: np.dtype) -> np.ndarray:
    """``values`` as a quantizer with these steps would hold them."""
    bounds = np.iinfo(dtype)
    integers = np.rint(values / steps.scale) + steps.zero
    return (np.clip(integers, bounds.min, bounds.max) - steps.zero) * steps.scale


def held_range(steps: Steps, dtype: np.dtype) -> Tuple[float, float]:
    """The least and the greatest number that one step for the whole tensor can hold."""
    bounds = np.iinfo(dtype)
    return (
        float((bounds.min - steps.zero[0]) * steps.scale[0]),
        float((bounds.max - steps.zero[0]) * steps.scale[0]),
    )


def constant_steps(operator: Operator, place: int, values: np.ndarray, held: Tensor) -> Steps:
    """The steps of an ideal quantizer for the constant ``values``, the input ``place`` of the float ``operator``.

    Weights have a step for each channel where the specification has it, and where ``held``, the file's own, has; other
    constants one for the whole, from their least to their greatest.
    """
    axis = CHANNEL_AXIS.get(operator.kind) if place == WEIGHTS else None
    several = held.steps is not None and len(held.steps.scale) > 1
    if axis is None and several and operator.kind in WEIGHTED:
        axis = 0
    if axis is not None:
        others = tuple(each for each in range(values.ndim) if each != axis)
        largest = np.abs(values).max(axis=others) if values.size else np.zeros(values.shape[axis])
        scale = np.maximum(largest, _SMALLEST).astype(np.float64) / _LARGEST_WEIGHT
        return Steps(scale, np.zeros(len(scale)), axis)
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    if (place == WEIGHTS and operator.kind in WEIGHTED) or held.steps is None or not held.steps.zero.any():
        scale = max(-low, high, _SMALLEST) / _LARGEST_WEIGHT
        return Steps(np.array([scale]), np.array([0.0]), 0)
    return steps_of(low, high, np.dtype(np.int8))


def rounded_constant(values: np.ndarray, steps: Steps) -> np.ndarray:
    """``values`` to the nearest step."""
    scale, zero = (steps.along(each, values.ndim) for each in (steps.scale, steps.zero))
    return (np.rint(values / scale + zero) - zero) * scale
