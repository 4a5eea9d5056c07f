"""``Erf``, which GELU is built from and TFLite 2.4 has no kernel for, from operators that it has.

artanh(erf(x)) / x is a smooth even function, so erf(x) is tanh(x · p(x²)) for a polynomial p. The coefficients were
fitted here, by least squares reweighted towards the largest error, to Python's ``math.erf`` on (0, 3.95]; computed in
float32 the result is off by less than 2e-7, and by less than 3e-7 with TFLite's own TANH.
"""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout

COEFFICIENTS = [
    1.128379274, 0.1027690559, -0.0001918309058, -0.0006197845941, 8.763731094e-05, -5.668474019e-06, 1.418521827e-07,
]  # fmt: skip
# From |x| = 4 on float32 has nothing between erf(x) and 1.
LARGEST_SQUARE = 16.0


@lowers("Erf")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """The error function of each element of float32 ``X``; doubles have a kernel in TensorFlow alone."""
    x, last = tensors.either(node.inputs[0])
    if x.dtype != tf.float32:
        return [same_layout(last, tf.math.erf(x))] if x.dtype.is_floating else NOT_FLOATING_POINT
    square = tf.minimum(x * x, LARGEST_SQUARE)
    sum_ = tf.constant(COEFFICIENTS[-1])
    for coefficient in reversed(COEFFICIENTS[:-1]):
        sum_ = sum_ * square + coefficient
    return [same_layout(last, tf.tanh(x * sum_))]
