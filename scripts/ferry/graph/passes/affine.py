"""Nodes that multiply each channel by a constant and add one to it: batch norm, and arithmetic with constants."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ferry.graph.node import Node, Value
from ferry.graph.schema import default

DEFAULT_EPSILON = default("BatchNormalization", "epsilon")
ARITHMETIC = ("Add", "Sub", "Mul", "Div")
AFFINE = ("BatchNormalization", *ARITHMETIC)


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


def data_input(node: Node) -> Optional[Value]:
    """The value that ``node`` is perhaps an affine function of: its only operand that is not constant."""
    if node.is_a("BatchNormalization"):
        return node.input(0) if len(node.outputs) == 1 else None
    if not node.is_a(*ARITHMETIC) or len(node.inputs) != 2 or node.attribute("broadcast"):
        return None
    varying = [value for value in node.inputs if value is not None and not value.is_constant]
    # A constant divided by x is no affine function of x.
    if len(varying) != 1 or (node.operator == "Div" and varying[0] is node.input(1)):
        return None
    return varying[0]


def constant_inputs(node: Node) -> List[Value]:
    """The operands of ``node`` that are constant."""
    return [value for value in node.inputs if value is not None and value.is_constant]


def affine_of(node: Node, channels: int, rank: int) -> Optional[Affine]:
    """What ``node`` does to each of the ``channels`` of its input of ``rank`` dimensions, (N, C, …).

    ``None`` if it is no such node, or its constants vary along other dimensions than the channels.
    """
    source = data_input(node)
    if source is None:
        return None
    arrays = [value.constant for value in constant_inputs(node)]
    constants = [array for array in arrays if array is not None]
    if node.operator == "BatchNormalization":
        if len(constants) != 4 or any(array.shape != (channels,) for array in constants):
            return None
        return Affine(*scale_and_shift(constants, node.attribute("epsilon", DEFAULT_EPSILON)))
    constant_first = node.input(1) is source
    value = _per_channel(constants[0], channels, rank)
    if value is None:
        return None
    one, zero = np.ones(channels), np.zeros(channels)
    if node.operator == "Mul":
        return Affine(value, zero)
    if node.operator == "Div":
        return Affine(1 / value, zero) if value.all() else None
    if node.operator == "Add":
        return Affine(one, value)
    return Affine(-one, value) if constant_first else Affine(one, -value)


def _per_channel(constant: np.ndarray, channels: int, rank: int) -> Optional[np.ndarray]:
    if constant.ndim > rank or constant.dtype.kind != "f":
        return None
    shape = [1] * (rank - constant.ndim) + list(constant.shape)
    if any(size != 1 for axis, size in enumerate(shape) if axis != 1) or shape[1] not in (1, channels):
        return None
    return np.broadcast_to(constant.astype(np.float64).ravel(), (channels,)).copy()
