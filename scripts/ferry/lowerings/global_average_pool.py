"""``GlobalAveragePool``: one mean over the spatial axes, with no arithmetic on the tensor's rank."""

from typing import Dict, List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode


def lower(node: OnnxNode, tensors: Dict[str, tf.Tensor]) -> Optional[List[tf.Tensor]]:
    """Average ``X`` (N, C, …) over all its spatial dimensions, which stay as ones."""
    x = tensors[node.inputs[0]]
    if x.shape.rank is None or x.shape.rank < 3:
        return None
    return [tf.reduce_mean(x, axis=list(range(2, x.shape.rank)), keepdims=True, name=node.name or None)]
