"""``Clip``: as ``Relu6`` or ``Relu`` where its limits are theirs, so that TFLite fuses it into the convolution."""

from typing import List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, same_layout


@lowers("Clip")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Clip float ``X`` to constant scalars, given as inputs (opset 11 on) or attributes (before)."""
    x, last = tensors.either(node.inputs[0])
    if not x.dtype.is_floating:
        return None
    limits = []
    for position, name in enumerate(("min", "max"), start=1):
        if len(node.inputs) > position and node.inputs[position]:
            value = tensors.constant(node.inputs[position])
            if value is None:
                return None
            limits.append(float(value))
        else:
            limits.append(node.attrs.get(name))
    return [same_layout(last, _clip(x, *limits))]


def _clip(x: tf.Tensor, lowest: Optional[float], highest: Optional[float]) -> tf.Tensor:
    if lowest == 0 and highest == 6:
        return tf.nn.relu6(x)
    if lowest == 0 and highest is None:
        return tf.nn.relu(x)
    y = x if lowest is None else tf.maximum(x, tf.constant(lowest, x.dtype))
    return y if highest is None else tf.minimum(y, tf.constant(highest, x.dtype))
