"""``Cast`` between the types that TFLite computes in, in the layout its operand was made in."""

import tensorflow as tf
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout

TYPES = (tf.float32, tf.int32, tf.int64, tf.bool)


@lowers("Cast")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Cast ``X`` to the type ``to``; a float is cut off towards zero."""
    x, last = tensors.either(node.inputs[0])
    number = node.attributes["to"]
    if number not in TENSOR_TYPE_TO_NP_TYPE:
        return Declined(f"ONNX has no type of number {number}")
    target = tf.as_dtype(TENSOR_TYPE_TO_NP_TYPE[number])
    if target == tf.string:
        # TensorFlow writes 0.1 as "0.1", ONNX as NumPy does.
        return Declined("it makes strings of numbers", onnx_tf_differs=True)
    if x.dtype not in TYPES or target not in TYPES:
        return Declined(f"it casts {x.dtype.name} to {target.name}")
    if target == tf.bool and x.dtype != tf.bool:
        return [same_layout(last, tf.not_equal(x, tf.zeros([], x.dtype)))]
    return [same_layout(last, tf.cast(x, target))]
