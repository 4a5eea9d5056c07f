"""``Sign``, ``IsNaN`` and ``IsInf`` by comparisons, which TFLite has."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout


@lowers("IsInf", "IsNaN", "Sign")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Tell of each element of ``X``, float32 or (``Sign``) an integer, of what kind it is."""
    x, last = tensors.either(node.inputs[0])
    if x.dtype not in ((tf.float32, tf.int32, tf.int64) if node.operator == "Sign" else (tf.float32,)):
        return Declined(f"its input is of type {x.dtype.name}")
    zero = tf.zeros([], x.dtype)
    if node.operator == "Sign":
        return [same_layout(last, tf.cast(tf.greater(x, zero), x.dtype) - tf.cast(tf.less(x, zero), x.dtype))]
    if node.operator == "IsNaN":
        return [same_layout(last, tf.not_equal(x, x))]
    positive, negative = (node.attributes[f"detect_{sign}"] for sign in ("positive", "negative"))
    if positive and negative:
        return [same_layout(last, tf.greater(tf.abs(x), x.dtype.max))]
    if positive:
        return [same_layout(last, tf.greater(x, x.dtype.max))]
    if negative:
        return [same_layout(last, tf.less(x, x.dtype.min))]
    return Declined("it looks for neither infinity")
