"""``Pow``, whose exponent may be of another type than its base (opset 12), and ``Mod`` of floats."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.operators.binary import operands_last
from ferry.lowering.tensors import ChannelsLast, Made, Tensors, same_layout


@lowers("Pow")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """``X`` to the power of ``Y``, broadcast; the result has the type of ``X``."""
    exponent = tensors.constant(node.inputs[1])
    x, last = tensors.either(node.inputs[0])
    if exponent is not None and exponent.size == 1 and x.dtype == tf.float32 and exponent.ndim <= x.shape.rank:
        if float(exponent) == 2.0:
            return [same_layout(last, x * x)]
        if float(exponent) == 0.5:
            return [same_layout(last, tf.sqrt(x))]
    operands = operands_last(node.inputs, tensors)
    base, power = operands or [tensors[name] for name in node.inputs]
    if base.dtype not in (tf.float32, tf.int32, tf.int64):
        return None
    if base.dtype.is_integer and power.dtype.is_floating:
        # TensorFlow would cut the exponent off, ONNX the result.
        y = tf.cast(tf.pow(tf.cast(base, power.dtype), power), base.dtype)
    else:
        y = tf.pow(base, tf.cast(power, base.dtype))
    return [same_layout(operands is not None, y)]


@lowers("Mod")
def lower_mod(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """The remainder of float32 ``A`` by ``B`` with the sign of ``A``, as C's ``fmod``."""
    operands = operands_last(node.inputs, tensors)
    a, b = operands or [tensors[name] for name in node.inputs]
    if a.dtype != tf.float32 or not node.attrs.get("fmod", 0):
        return None
    size = tf.math.floormod(tf.abs(a), tf.abs(b))
    y = tf.where(tf.less(a, 0.0), -size, size)
    return [ChannelsLast(y) if operands else y]
