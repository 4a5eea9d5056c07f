"""``Softmax`` over the last dimension, which is the one that PyTorch exports."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors


@lowers("Softmax")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Up to opset 12 a softmax is over all dimensions from ``axis`` on; here that is one that is not 1."""
    shape = tensors.shape(node.inputs[0])
    if not shape or not tensors[node.inputs[0]].dtype.is_floating:
        return UNKNOWN_RANK if shape is None else Declined("its input is no floating point, or one number")
    beyond = shape[node.attributes["axis"] % len(shape) :]
    if None in beyond or int(np.prod(beyond[:-1])) != 1:
        return Declined("it is taken over several dimensions together")
    return [tf.nn.softmax(tensors[node.inputs[0]])]
