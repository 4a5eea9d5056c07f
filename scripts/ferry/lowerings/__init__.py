"""TensorFlow forms of ONNX operators that TFLite has a fast kernel for. One operator a file.

A lowering is ``lower(node, tensors) -> [tensor, …]`` or, where this node's form is beyond it, ``None``: onnx-tf's own
handler then takes the node. ``node`` is onnx-tf's ``OnnxNode``; ``tensors`` maps ONNX names to TensorFlow tensors, in
ONNX's own NCHW. ``ferry.tf_graph.nhwc`` moves the finished graph to NHWC.
"""

from typing import Callable, Dict, List, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.lowerings import batch_normalization, clip, conv, gemm, global_average_pool, reshape

Lowering = Callable[[OnnxNode, Dict[str, tf.Tensor]], Optional[List[tf.Tensor]]]

LOWERINGS: Dict[str, Lowering] = {
    "BatchNormalization": batch_normalization.lower,
    "Clip": clip.lower,
    "Conv": conv.lower,
    "Gemm": gemm.lower,
    "GlobalAveragePool": global_average_pool.lower,
    "Reshape": reshape.lower,
}
