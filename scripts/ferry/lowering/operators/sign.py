"""``Sign``, ``IsNaN`` and ``IsInf`` by comparisons, which TFLite has."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, same_layout


@lowers("IsInf", "IsNaN", "Sign")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Tell of each element of ``X``, float32 or (``Sign``) int32, of what kind it is."""
    x, last = tensors.either(node.inputs[0])
    if x.dtype not in ((tf.float32, tf.int32) if node.op_type == "Sign" else (tf.float32,)):
        return None
    zero = tf.zeros([], x.dtype)
    if node.op_type == "Sign":
        return [same_layout(last, tf.cast(tf.greater(x, zero), x.dtype) - tf.cast(tf.less(x, zero), x.dtype))]
    if node.op_type == "IsNaN":
        return [same_layout(last, tf.not_equal(x, x))]
    positive, negative = (node.attrs.get(f"detect_{sign}", 1) for sign in ("positive", "negative"))
    if positive and negative:
        return [same_layout(last, tf.greater(tf.abs(x), x.dtype.max))]
    if positive:
        return [same_layout(last, tf.greater(x, x.dtype.max))]
    return [same_layout(last, tf.less(x, x.dtype.min))] if negative else None
