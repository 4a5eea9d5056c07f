"""``LRN``: each value over the squares of the channels around it."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("LRN")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Normalise float32 ``X`` (N, C, H, W) over ``size`` channels, an odd number."""
    shape, size = tensors.shape(node.inputs[0]), node.attributes["size"]
    if shape is None or len(shape) != 4 or tensors.either(node.inputs[0])[0].dtype != tf.float32:
        return Declined("its input is not of four dimensions and float32")
    if size % 2 == 0:
        return Declined(f"it is over {size} channels, which do not lie evenly around one", onnx_tf_differs=True)
    x = tensors.last(node.inputs[0])
    bias, alpha, beta = (node.attributes[name] for name in ("bias", "alpha", "beta"))
    return [ChannelsLast(tf.nn.local_response_normalization(x, (size - 1) // 2, bias, alpha / size, beta))]
