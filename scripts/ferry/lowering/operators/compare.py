"""Comparisons and logic on two broadcast operands, ``Not`` and ``Where``, in channels-last where an operand is."""

from typing import Callable, Dict, List

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.broadcasting import broadcast
from ferry.lowering.declined import Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.binary import operands_last
from ferry.lowering.tensors import ChannelsLast, Made, Tensors, same_layout

FUNCTIONS: Dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "And": tf.logical_and,
    "Equal": tf.equal,
    "Greater": tf.greater,
    "GreaterOrEqual": tf.greater_equal,
    "Less": tf.less,
    "LessOrEqual": tf.less_equal,
    "Or": tf.logical_or,
    # On truth values, and TFLite has no other.
    "Xor": tf.not_equal,
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Combine ``A`` and ``B``, broadcast as NumPy does (opset 7 on)."""
    return _broadcast(FUNCTIONS[node.operator], node.inputs, tensors)


@lowers("Where")
def lower_where(node: Node, tensors: Tensors) -> Lowered:
    """Take ``X`` where ``condition`` holds and ``Y`` elsewhere, all three broadcast."""
    return _broadcast(tf.where, node.inputs, tensors)


@lowers("Not")
def lower_not(node: Node, tensors: Tensors) -> Lowered:
    """Negate truth values."""
    x, last = tensors.either(node.inputs[0])
    return [same_layout(last, tf.logical_not(x))]


def _broadcast(function: Callable[..., tf.Tensor], names: List[str], tensors: Tensors) -> List[Made]:
    operands = operands_last(names, tensors)
    if operands is None:
        return [broadcast(function, [tensors[name] for name in names])]
    return [ChannelsLast(broadcast(function, operands))]
