"""``Dropout``, which in inference is nothing."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, same_layout


@lowers("Dropout")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """``X`` as it is and, if asked for, a mask that keeps all of it. From opset 12 on it may be in training mode."""
    training = tensors.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.array(False)
    x, last = tensors.either(node.inputs[0])
    if training is None or training:
        return None
    kept = [same_layout(last, x)]
    if len(node.outputs) == 1:
        return kept
    return [*kept, same_layout(last, tf.equal(tf.zeros_like(x), tf.zeros([], x.dtype)))]
