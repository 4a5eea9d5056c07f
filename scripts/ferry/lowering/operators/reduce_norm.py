"""Reductions to norms and logarithms of sums, in the layout their operand was made in."""

from typing import Callable, Dict, List, Optional

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.reduce import reduced
from ferry.lowering.tensors import Tensors


def _log_sum_exp(x: tf.Tensor, axis: List[int], keepdims: bool, name: Optional[str]) -> tf.Tensor:
    largest = tf.reduce_max(x, axis, keepdims=True)
    total = tf.math.log(tf.reduce_sum(tf.exp(x - largest), axis, keepdims=True)) + largest
    return total if keepdims else tf.squeeze(total, axis, name=name)


FUNCTIONS: Dict[str, Callable[..., tf.Tensor]] = {
    "ReduceL1": lambda x, axis, keepdims, name: tf.reduce_sum(tf.abs(x), axis, keepdims, name),
    "ReduceL2": lambda x, axis, keepdims, name: tf.sqrt(tf.reduce_sum(x * x, axis, keepdims, name)),
    "ReduceLogSum": lambda x, axis, keepdims, name: tf.math.log(tf.reduce_sum(x, axis, keepdims, name)),
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceSumSquare": lambda x, axis, keepdims, name: tf.reduce_sum(x * x, axis, keepdims, name),
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Reduce float ``X`` over ``axes``, by default all."""
    return reduced(node, tensors, FUNCTIONS[node.operator])
