"""Inverse and hyperbolic functions, of which TFLite has none: from those it has, to float32's rounding."""

import math
from typing import Callable, Dict

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOAT32, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout

# After two halvings the angle is at most pi / 16, and the series' next term is below 1e-10 of it.
TERMS = 7


def _atan(x: tf.Tensor) -> tf.Tensor:
    size = tf.abs(x)
    # atan(x) = pi / 2 - atan(1 / x), and atan(x) = 2 atan(x / (1 + sqrt(1 + x²))).
    reduced = tf.minimum(size, 1.0) / tf.maximum(size, 1.0)
    for _ in range(2):
        reduced = reduced / (1.0 + tf.sqrt(1.0 + reduced * reduced))
    square = reduced * reduced
    series = tf.ones_like(x) * _coefficient(TERMS - 1)
    for term in reversed(range(TERMS - 1)):
        series = series * square + _coefficient(term)
    angle = 4.0 * reduced * series
    angle = tf.where(tf.greater(size, 1.0), math.pi / 2 - angle, angle)
    return tf.where(tf.less(x, 0.0), -angle, angle)


def _coefficient(term: int) -> float:
    return (-1.0) ** term / (2 * term + 1)


def _log_of_one_plus(x: tf.Tensor) -> tf.Tensor:
    """Near 0 the sum loses digits of ``x``; by how many the difference tells (W. Kahan's correction)."""
    total = 1.0 + x
    kept = total - 1.0
    correction = tf.where(tf.equal(kept, 0.0), tf.ones_like(x), x / kept)
    return tf.where(tf.equal(kept, 0.0), x, tf.math.log(total) * correction)


def _asinh(x: tf.Tensor) -> tf.Tensor:
    size = tf.abs(x)
    value = _log_of_one_plus(size + size * size / (1.0 + tf.sqrt(size * size + 1.0)))
    return tf.where(tf.less(x, 0.0), -value, value)


def _sinh(x: tf.Tensor) -> tf.Tensor:
    # Near 0 the difference of the exponentials loses its digits.
    square = tf.minimum(x * x, 1.0)
    series = tf.ones_like(x)
    for factor in (110.0, 72.0, 42.0, 20.0, 6.0):
        series = 1.0 + series * square * (1.0 / factor)
    return tf.where(tf.less(tf.abs(x), 1.0), x * series, 0.5 * (tf.exp(x) - tf.exp(-x)))


FUNCTIONS: Dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "Acos": lambda x: 2.0 * _atan(tf.sqrt((1.0 - x) / (1.0 + x))),
    "Acosh": lambda x: tf.math.log(x + tf.sqrt((x - 1.0) * (x + 1.0))),
    "Asin": lambda x: _atan(x / tf.sqrt((1.0 - x) * (1.0 + x))),
    "Asinh": _asinh,
    "Atan": _atan,
    "Atanh": lambda x: 0.5 * _log_of_one_plus(2.0 * x / (1.0 - x)),
    "Cosh": lambda x: 0.5 * (tf.exp(x) + tf.exp(-x)),
    "Sinh": _sinh,
    "Tan": lambda x: tf.sin(x) / tf.cos(x),
}


@lowers(*FUNCTIONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Apply a function to each element of float32 ``X``."""
    x, last = tensors.either(node.inputs[0])
    return [same_layout(last, FUNCTIONS[node.operator](x))] if x.dtype == tf.float32 else NOT_FLOAT32
