"""``Cast`` between the types that TFLite computes in, in the layout its operand was made in."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, same_layout

TYPES = (tf.float32, tf.int32, tf.int64, tf.bool)


@lowers("Cast")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Cast ``X`` to the type ``to``; a float is cut off towards zero."""
    x, last = tensors.either(node.inputs[0])
    target = node.attrs["to"]
    if x.dtype not in TYPES or target not in TYPES:
        return None
    if target == tf.bool and x.dtype != tf.bool:
        return [same_layout(last, tf.not_equal(x, tf.zeros([], x.dtype)))]
    return [same_layout(last, tf.cast(x, target))]
