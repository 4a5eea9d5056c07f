"""``Pow``, whose exponent may be of another type than its base (opset 12)."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.broadcasting import broadcast
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.operators.binary import operands_last
from ferry.lowering.tensors import Tensors, same_layout


@lowers("Pow")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """``X`` to the power of ``Y``, broadcast; the result has the type of ``X``."""
    exponent = tensors.constant(node.inputs[1])
    x, last = tensors.either(node.inputs[0])
    if exponent is not None and exponent.size == 1 and x.dtype == tf.float32 and exponent.ndim <= x.shape.rank:
        if float(exponent.reshape(())) == 2.0:
            return [same_layout(last, x * x)]
        if float(exponent.reshape(())) == 0.5:
            return [same_layout(last, tf.sqrt(x))]
    operands = operands_last(node.inputs, tensors)
    base, power = operands or [tensors[name] for name in node.inputs]
    if base.dtype not in (tf.float32, tf.int32, tf.int64):
        return Declined(f"its base is of type {base.dtype.name}")
    if base.dtype.is_integer and power.dtype.is_floating:
        # TensorFlow would cut the exponent off, ONNX the result.
        y = tf.cast(broadcast(tf.pow, [tf.cast(base, power.dtype), power]), base.dtype)
    else:
        y = broadcast(tf.pow, [base, tf.cast(power, base.dtype)])
    return [same_layout(operands is not None, y)]
