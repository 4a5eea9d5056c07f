"""``Dropout``, which in inference is nothing."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, same_layout


@lowers("Dropout")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """``X`` as it is and, if asked for, a mask that keeps all of it. From opset 12 on it may be in training mode."""
    mode = node.input(2)
    training = tensors.constant(mode) if mode else np.array(False)
    x, last = tensors.either(node.inputs[0])
    if training is None or training.any():
        return Declined("it is in training mode, and drops values at random", onnx_tf_differs=True)
    kept = [same_layout(last, x)]
    if len(node.outputs) == 1:
        return kept
    return [*kept, same_layout(last, tf.equal(tf.zeros_like(x), tf.zeros([], x.dtype)))]
