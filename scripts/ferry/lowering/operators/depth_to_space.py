"""``DepthToSpace`` and ``SpaceToDepth``, each one operator of TFLite's: no transpose of six dimensions."""

import numpy as np
import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import ChannelsLast, Tensors


@lowers("DepthToSpace")
def lower_depth_to_space(node: Node, tensors: Tensors) -> Lowered:
    """Spread blocks of channels of ``X`` (N, C, H, W) over squares; PyTorch's pixel shuffle is the mode ``CRD``."""
    shape, block = tensors.shape(node.inputs[0]), node.attributes["blocksize"]
    if shape is None or len(shape) != 4 or shape[1] is None:
        return Declined("its input is not known to be an image")
    x = tensors.last(node.inputs[0])
    if node.attributes.get("mode") == "CRD" and shape[1] > block * block:
        # TensorFlow's order has the blocks outermost in the channels, PyTorch's innermost.
        order = np.arange(shape[1]).reshape(-1, block * block).T.ravel().astype(np.int32)
        x = tf.gather(x, order, axis=3)
    return [ChannelsLast(tf.nn.depth_to_space(x, block))]


@lowers("SpaceToDepth")
def lower_space_to_depth(node: Node, tensors: Tensors) -> Lowered:
    """Gather squares of ``X`` (N, C, H, W) into channels."""
    shape = tensors.shape(node.inputs[0])
    if shape is None or len(shape) != 4:
        return Declined("its input is not known to be an image")
    return [ChannelsLast(tf.nn.space_to_depth(tensors.last(node.inputs[0]), node.attributes["blocksize"]))]
