"""Operators on each element alone, which take any layout and keep it."""

from typing import Callable, Dict

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, Lowered
from ferry.lowering.integers import absolute
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout


def _leaky_relu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    return tf.nn.leaky_relu(x, attributes["alpha"])


def _hard_sigmoid(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    # As a sixth of RELU6 it is what TFLite's converter makes HARD_SWISH of, once it is multiplied by x.
    slope = 6 * attributes["alpha"]
    line = x if abs(slope - 1) < 1e-6 else x * slope
    return tf.nn.relu6(line + 6 * attributes["beta"]) * (1 / 6)


def _elu(x: tf.Tensor, attributes: dict) -> tf.Tensor:
    alpha = attributes["alpha"]
    if alpha == 1.0:
        return tf.nn.elu(x)
    # exp(x) - 1 loses its digits where x is small; TFLite's ELU does not.
    return tf.nn.relu(x) + alpha * tf.nn.elu(tf.minimum(x, 0.0))


FUNCTIONS: Dict[str, Callable[[tf.Tensor, dict], tf.Tensor]] = {
    "Abs": lambda x, _: tf.abs(x),
    "Ceil": lambda x, _: tf.math.ceil(x),
    "Cos": lambda x, _: tf.cos(x),
    "Elu": _elu,
    "Exp": lambda x, _: tf.exp(x),
    "Floor": lambda x, _: tf.floor(x),
    "HardSigmoid": _hard_sigmoid,
    "Identity": lambda x, _: x,
    "LeakyRelu": _leaky_relu,
    "Log": lambda x, _: tf.math.log(x),
    "Neg": lambda x, _: tf.negative(x),
    "Relu": lambda x, _: tf.nn.relu(x),
    "Sigmoid": lambda x, _: tf.sigmoid(x),
    "Sin": lambda x, _: tf.sin(x),
    "Sqrt": lambda x, _: tf.sqrt(x),
    "Tanh": lambda x, _: tf.tanh(x),
}
INTEGER_FUNCTIONS: Dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Abs": absolute,
    "Identity": lambda x: x,
    "Neg": tf.negative,
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Apply a function to each element of float ``X``; of integers, where TFLite has it."""
    x, last = tensors.either(node.inputs[0])
    if x.dtype in (tf.int32, tf.int64) and node.operator in INTEGER_FUNCTIONS:
        return [same_layout(last, INTEGER_FUNCTIONS[node.operator](x))]
    if not x.dtype.is_floating:
        return NOT_FLOATING_POINT
    return [same_layout(last, FUNCTIONS[node.operator](x, node.attributes))]
