"""Comparisons and logic on two broadcast operands, ``Not`` and ``Where``, in channels-last where an operand is."""

from typing import Callable, Dict, List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
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
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Combine ``A`` and ``B``, broadcast as NumPy does (opset 7 on)."""
    if len(node.inputs) != 2 or "broadcast" in node.attrs:
        return None
    return _broadcast(FUNCTIONS[node.op_type], node.inputs, tensors)


@lowers("Where")
def lower_where(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Take ``X`` where ``condition`` holds and ``Y`` elsewhere, all three broadcast."""
    return _broadcast(tf.where, node.inputs, tensors)


@lowers("Not")
def lower_not(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Negate truth values."""
    x, last = tensors.either(node.inputs[0])
    return [same_layout(last, tf.logical_not(x))]


def _broadcast(function: Callable[..., tf.Tensor], names: List[str], tensors: Tensors) -> List[Made]:
    operands = operands_last(names, tensors)
    if operands is None:
        return [function(*(tensors[name] for name in names))]
    return [ChannelsLast(function(*operands))]
