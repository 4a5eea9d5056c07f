"""``DepthToSpace`` and ``SpaceToDepth``, each one operator of TFLite's: no transpose of six dimensions."""

from typing import List, Optional

import numpy as np
import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import ChannelsLast, Made, Tensors


@lowers("DepthToSpace")
def lower_depth_to_space(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Spread blocks of channels of ``X`` (N, C, H, W) over squares; PyTorch's pixel shuffle is the mode ``CRD``."""
    shape, block = tensors.shape(node.inputs[0]), node.attrs["blocksize"]
    if shape is None or len(shape) != 4 or shape[1] is None:
        return None
    x = tensors.last(node.inputs[0])
    mode = node.attrs.get("mode", "DCR")
    if (mode.decode() if isinstance(mode, bytes) else mode) == "CRD" and shape[1] > block * block:
        # TensorFlow's order has the blocks outermost in the channels, PyTorch's innermost.
        order = np.arange(shape[1]).reshape(-1, block * block).T.ravel().astype(np.int32)
        x = tf.gather(x, order, axis=3)
    return [ChannelsLast(tf.nn.depth_to_space(x, block))]


@lowers("SpaceToDepth")
def lower_space_to_depth(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Gather squares of ``X`` (N, C, H, W) into channels."""
    shape = tensors.shape(node.inputs[0])
    if shape is None or len(shape) != 4:
        return None
    return [ChannelsLast(tf.nn.space_to_depth(tensors.last(node.inputs[0]), node.attrs["blocksize"]))]
