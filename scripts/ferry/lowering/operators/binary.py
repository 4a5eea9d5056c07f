"""Operators on two broadcast operands, in channels-last wherever one of them was made so."""

from typing import Callable, Dict, List, Optional

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering import integers
from ferry.lowering.broadcasting import broadcast
from ferry.lowering.declined import NOT_FLOATING_POINT, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.old_converter import shielded
from ferry.lowering.tensors import RANKS_WITH_CHANNELS, Tensors, same_layout, to_last

FUNCTIONS: Dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "Add": tf.add,
    "Div": tf.divide,
    "Max": tf.maximum,
    "Min": tf.minimum,
    "Mul": tf.multiply,
    "Sub": tf.subtract,
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Combine ``A`` and ``B``, broadcast as NumPy does (opset 7 on): floats, or integers of one type."""
    if len(node.inputs) != 2:
        return Declined(f"it has {len(node.inputs)} operands")
    function = FUNCTIONS[node.operator]
    operands, last = operands_last(node.inputs, tensors), True
    if operands is None:
        operands, last = _operands(node.inputs, tensors), False
    if all(operand.dtype in (tf.int32, tf.int64) for operand in operands):
        ranges = [tensors.ranges.get(name) for name in node.inputs]
        integer = integers.FUNCTIONS[node.operator]
        return [same_layout(last, broadcast(lambda a, b: integer(a, b, *ranges), operands))]
    if not all(operand.dtype.is_floating for operand in operands):
        return NOT_FLOATING_POINT
    if node.operator == "Mul" and any(operand.op.type == "Const" and operand.shape.rank > 1 for operand in operands):
        operands = [operand if operand.op.type == "Const" else shielded(operand) for operand in operands]
    if node.operator == "Add":
        operands = [_wide(operand, other) for operand, other in zip(operands, reversed(operands))]
    return [same_layout(last, broadcast(function, operands))]


def _wide(operand: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """A constant of several samples, with one value for all channels of each, repeated along them.

    TensorFlow, as it runs the graph, moves such a constant into the bias added before, where it does not fit.
    """
    shape, beside = operand.shape.as_list(), other.shape.as_list()
    if operand.op.type != "Const" or len(shape) < 2 or len(shape) != len(beside) or shape[-1] != 1 or not beside[-1]:
        return operand
    return tf.constant(np.repeat(tf.make_ndarray(operand.op.get_attr("value")), beside[-1], axis=-1))


def operands_last(names: List[str], tensors: Tensors) -> Optional[List[tf.Tensor]]:
    """The operands with their channels last; ``None`` where none was made so, or one cannot be read so."""
    shapes = [tensors.shape(name) for name in names]
    ranks = [len(shape) for shape in shapes if shape is not None]
    if len(ranks) < len(names) or not any(tensors.made_last(name) for name in names):
        return None
    rank = max(ranks)
    if rank not in RANKS_WITH_CHANNELS:
        return None
    operands = []
    for name, own_rank in zip(names, ranks):
        constant = tensors.constant(name)
        if constant is not None:
            operands.append(tf.constant(_constant_last(constant, rank)))
        elif own_rank == rank:
            operands.append(tensors.last(name))
        elif own_rank == 0:
            operands.append(tensors[name])
        else:
            return None
    return operands


def _operands(names: List[str], tensors: Tensors) -> List[tf.Tensor]:
    """The operands in ONNX's layout, a constant without the leading ones that the other operand has more of."""
    ranks = [len(tensors.shape(name) or []) for name in names]
    operands = []
    for name, others in zip(names, reversed(ranks)):
        constant = tensors.constant(name)
        if constant is not None and constant.ndim <= others:
            operands.append(tf.constant(_without_leading_ones(constant)))
        else:
            operands.append(tensors[name])
    return operands


def _constant_last(constant: np.ndarray, rank: int) -> np.ndarray:
    """A constant that broadcasts to ``rank`` dimensions, moved with them; leading ones are dropped again."""
    moved = constant.reshape([1] * (rank - constant.ndim) + list(constant.shape)).transpose(to_last(rank))
    return _without_leading_ones(np.ascontiguousarray(moved))


def _without_leading_ones(constant: np.ndarray) -> np.ndarray:
    shape = list(constant.shape)
    while shape and shape[0] == 1:
        shape.pop(0)
    return constant.reshape(shape)
