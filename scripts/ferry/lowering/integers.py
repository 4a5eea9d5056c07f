"""Arithmetic on int32 and int64 in TFLite's builtin operators, exact for all values but int64's most negative.

TFLite 2.4 has SUB, NEG, FLOOR_MOD, MINIMUM, MAXIMUM, SELECT and comparisons of int64, and ADD, MUL and DIV of int32
alone. Where both operands and the result are known to fit, int64 is computed in int32.
"""

from typing import Callable, Dict, Optional

import numpy as np
import tensorflow as tf

from ferry.graph.integer_ranges import Range, combined, fits_int32

# The digits of a quotient: float32 tells each from the next, and what three of them hold is all of int64.
DIGIT = 2**21
# With this many of the bits of a factor, doubling and adding is still shorter than what an app would need for Flex.
MOST_FACTOR = 2**24

Combining = Callable[[tf.Tensor, tf.Tensor, Optional[Range], Optional[Range]], tf.Tensor]


def add(a: tf.Tensor, b: tf.Tensor, _a_range: Optional[Range] = None, _b_range: Optional[Range] = None) -> tf.Tensor:
    """``a + b``."""
    if a.dtype == tf.int32:
        return tf.add(a, b)
    value = tf.get_static_value(b)
    if tf.get_static_value(a) is not None:
        return add(b, a)
    # TensorFlow's converter makes a sum again of what is less the negative.
    return a - (tf.zeros([], b.dtype) - b if value is None else tf.constant(-value, a.dtype))


def multiply(a: tf.Tensor, b: tf.Tensor, a_range: Optional[Range], b_range: Optional[Range]) -> tf.Tensor:
    """``a · b``; of int64 with a factor that is no small constant, and of unknown range, TensorFlow's own operator."""
    if a.dtype == tf.int32:
        return tf.multiply(a, b)
    if fits_int32(a_range, b_range, combined("Mul", a_range, b_range)):
        return _in_int32(tf.multiply, a, b)
    for x, factor in ((a, tf.get_static_value(b)), (b, tf.get_static_value(a))):
        if factor is not None and factor.size == 1 and abs(int(factor.reshape(()))) < MOST_FACTOR:
            made = _times(x, abs(int(factor.reshape(()))))
            made = made if factor.reshape(()) >= 0 else tf.negative(made)
            return made if factor.ndim <= (x.shape.rank or 0) else tf.reshape(made, factor.shape)
    return tf.multiply(a, b)


def divide(a: tf.Tensor, b: tf.Tensor, a_range: Optional[Range], b_range: Optional[Range]) -> tf.Tensor:
    """``a / b`` cut off towards zero, as ONNX and C divide."""
    if a.dtype == tf.int32:
        return tf.raw_ops.Div(x=a, y=b)
    # The most negative of int32 by -1 is beyond it.
    if fits_int32(a_range, b_range, combined("Div", a_range, b_range)):
        return _in_int32(lambda x, y: tf.raw_ops.Div(x=x, y=y), a, b)
    divisor = tf.get_static_value(b)
    if divisor is None or divisor.size != 1 or not 0 < abs(int(divisor.reshape(()))) < DIGIT:
        return tf.truncatediv(a, b)
    size = int(divisor.reshape(()))
    quotient = _floor_divided(absolute(a), abs(size))
    other = tf.negative(quotient)
    return tf.where(tf.less(a, tf.zeros([], a.dtype)), *((other, quotient) if size > 0 else (quotient, other)))


def remainder(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """What is left of ``a`` by ``b``, floats or integers, with the sign of ``a``, as C has it."""
    left = tf.math.floormod(absolute(a), absolute(b))
    return tf.where(tf.less(a, tf.zeros([], a.dtype)), tf.negative(left), left)


def absolute(x: tf.Tensor) -> tf.Tensor:
    """``|x|``; TFLite has ABS of floats."""
    if x.dtype.is_floating:
        return tf.abs(x)
    value = tf.get_static_value(x)
    return tf.maximum(x, tf.negative(x)) if value is None else tf.constant(np.abs(value), x.dtype)


FUNCTIONS: Dict[str, Combining] = {
    "Add": add,
    "Div": divide,
    "Max": lambda a, b, *_: tf.maximum(a, b),
    "Min": lambda a, b, *_: tf.minimum(a, b),
    "Mul": multiply,
    "Sub": lambda a, b, *_: tf.subtract(a, b),
}


def _in_int32(function: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.cast(function(_narrow(a), _narrow(b)), a.dtype)


def _narrow(x: tf.Tensor) -> tf.Tensor:
    value = tf.get_static_value(x)
    return tf.cast(x, tf.int32) if value is None else tf.constant(value, tf.int32)


def _times(x: tf.Tensor, factor: int) -> tf.Tensor:
    """``x`` times a whole number of 0 or more, by doubling."""
    if factor == 0:
        return x - x
    made, doubled = None, x
    while True:
        if factor % 2:
            made = doubled if made is None else add(made, doubled)
        factor //= 2
        if not factor:
            return tf.identity(made)
        doubled = add(doubled, doubled)


def _floor_divided(x: tf.Tensor, divisor: int) -> tf.Tensor:
    """int64 ``x`` of 0 or more by ``divisor``, digit by digit from the lowest.

    What a digit leaves is a multiple of its unit, so that its float32, over the unit, is nearest to the digit.
    """
    made: Optional[tf.Tensor] = None
    rest = x - tf.math.floormod(x, tf.constant(divisor, x.dtype))
    for place in range(3):
        unit = divisor * DIGIT**place
        digit = tf.math.floormod(rest, tf.constant(unit * DIGIT, x.dtype)) if place < 2 else rest
        rest = rest - digit
        number = tf.floor(tf.cast(digit, tf.float32) * np.float32(1 / unit) + np.float32(0.5))
        scaled = tf.cast(number * np.float32(DIGIT**place), x.dtype)
        made = scaled if made is None else add(made, scaled)
    assert made is not None
    return made
