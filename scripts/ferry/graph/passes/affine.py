"""Nodes that multiply each channel by a constant and add one to it: batch norm, and arithmetic with constants."""

from typing import Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import onnx

from ferry.graph.attributes import attribute
from ferry.graph.schema import default

DEFAULT_EPSILON = default("BatchNormalization", "epsilon")
AFFINE = ("BatchNormalization", "Add", "Sub", "Mul", "Div")


class Affine(NamedTuple):
    """``factor · x + shift``: float64 vectors of one value a channel."""

    factor: np.ndarray
    shift: np.ndarray


def scale_and_shift(parameters: Sequence[np.ndarray], epsilon: float) -> Tuple[np.ndarray, np.ndarray]:
    """The two float64 vectors, of one value a channel, that a batch norm in eval mode multiplies by and then adds.

    ``parameters`` are ONNX's scale, bias, mean and variance, in that order.
    """
    scale, shift, mean, variance = (array.astype(np.float64) for array in parameters)
    factor = scale / np.sqrt(variance + epsilon)
    return factor, shift - mean * factor


def data_input(node: onnx.NodeProto, constants: Mapping[str, np.ndarray]) -> Optional[str]:
    """The tensor that ``node`` is perhaps an affine function of: its only operand that is not constant."""
    if node.op_type == "BatchNormalization":
        return node.input[0] if len(node.output) == 1 else None
    if node.op_type not in ("Add", "Sub", "Mul", "Div") or len(node.input) != 2 or attribute(node, "broadcast"):
        return None
    varying = [name for name in node.input if name not in constants]
    # A constant divided by x is no affine function of x.
    if len(varying) != 1 or (node.op_type == "Div" and varying[0] == node.input[1]):
        return None
    return varying[0]


def affine_of(node: onnx.NodeProto, constants: Mapping[str, np.ndarray], channels: int, rank: int) -> Optional[Affine]:
    """What ``node`` does to each of the ``channels`` of its input of ``rank`` dimensions, (N, C, …).

    ``None`` if it is no such node, or its constants vary along other dimensions than the channels.
    """
    source = data_input(node, constants)
    if source is None:
        return None
    if node.op_type == "BatchNormalization":
        if any(name not in constants for name in node.input[1:5]):
            return None
        parameters = [constants[name] for name in node.input[1:5]]
        return Affine(*scale_and_shift(parameters, attribute(node, "epsilon", DEFAULT_EPSILON)))
    constant_first = node.input[1] == source
    value = _per_channel(constants[node.input[0 if constant_first else 1]], channels, rank)
    if value is None:
        return None
    one, zero = np.ones(channels), np.zeros(channels)
    if node.op_type == "Mul":
        return Affine(value, zero)
    if node.op_type == "Div":
        return Affine(1 / value, zero) if value.all() else None
    if node.op_type == "Add":
        return Affine(one, value)
    return Affine(-one, value) if constant_first else Affine(one, -value)


def _per_channel(constant: np.ndarray, channels: int, rank: int) -> Optional[np.ndarray]:
    if constant.ndim > rank or constant.dtype.kind != "f":
        return None
    shape = [1] * (rank - constant.ndim) + list(constant.shape)
    if any(size != 1 for axis, size in enumerate(shape) if axis != 1) or shape[1] not in (1, channels):
        return None
    return np.broadcast_to(constant.astype(np.float64).ravel(), (channels,)).copy()
