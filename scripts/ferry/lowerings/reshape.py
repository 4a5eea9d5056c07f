"""``Reshape`` to a constant shape, with no int64 arithmetic left in the graph."""

from typing import Dict, List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode


def lower(node: OnnxNode, tensors: Dict[str, tf.Tensor]) -> Optional[List[tf.Tensor]]:
    """Reshape ``X`` to a constant shape in which 0 keeps the dimension of ``X`` and one -1 is inferred."""
    x = tensors[node.inputs[0]]
    target = tf.get_static_value(tensors[node.inputs[1]]) if len(node.inputs) > 1 else None
    if target is None or x.shape.rank is None:
        return None
    shape = []
    for position, value in enumerate(target):
        size = int(value) if value != 0 else x.shape[position]
        if size is None:
            return None
        shape.append(size)
    if -1 in shape and x.shape.is_fully_defined():
        known = int(np.prod([size for size in shape if size != -1]))
        if known:
            shape[shape.index(-1)] = x.shape.num_elements() // known
    return [tf.reshape(x, tf.constant(shape, tf.int32, shape=[len(shape)]))]
