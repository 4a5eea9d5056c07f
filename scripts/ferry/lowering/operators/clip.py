"""``Clip``: as ``Relu6`` or ``Relu`` where its limits are theirs, so that TFLite fuses it into the convolution."""

from typing import List, Optional

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import NOT_FLOATING_POINT, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout

# Before opset 11 the largest floats, which limit nothing, were the defaults.
NO_LIMIT = float(np.finfo(np.float32).max)


@lowers("Clip")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Clip float ``X`` to constant scalars, given as inputs (opset 11 on) or attributes (before)."""
    x, last = tensors.either(node.inputs[0])
    if not x.dtype.is_floating:
        return NOT_FLOATING_POINT
    limits: List[Optional[float]] = []
    for position, name in enumerate(("min", "max"), start=1):
        given = node.input(position)
        value = tensors.constant(given) if given else np.array(node.attributes.get(name, np.nan))
        if value is None or value.size != 1:
            return Declined("its limits are not constant scalars")
        limit = float(value.reshape(()))
        limits.append(None if np.isnan(limit) or abs(limit) >= NO_LIMIT else limit)
    return [same_layout(last, _clip(x, *limits))]


def _clip(x: tf.Tensor, lowest: Optional[float], highest: Optional[float]) -> tf.Tensor:
    if lowest == 0 and highest == 6:
        return tf.nn.relu6(x)
    if lowest == 0 and highest is None:
        return tf.nn.relu(x)
    y = x if lowest is None else tf.maximum(x, tf.constant(lowest, x.dtype))
    return y if highest is None else tf.minimum(y, tf.constant(highest, x.dtype))
