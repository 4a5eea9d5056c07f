"""``Softmax`` over the last dimension, which is the one that PyTorch exports."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors


@lowers("Softmax")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Up to opset 12 a softmax is over all dimensions from ``axis`` on; here that is one that is not 1."""
    shape = tensors.shape(node.inputs[0])
    if shape is None or not tensors[node.inputs[0]].dtype.is_floating:
        return None
    axis = node.attrs.get("axis", 1) % len(shape)
    beyond = shape[axis:]
    if None in beyond or int(np.prod(beyond[:-1])) != 1:
        return None
    return [tf.nn.softmax(tensors[node.inputs[0]])]
