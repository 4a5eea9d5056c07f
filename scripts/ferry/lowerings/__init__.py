"""TensorFlow forms of ONNX operators that TFLite has a fast kernel for. One operator, or one kind of them, a file.

A lowering is ``lower(node, tensors) -> [made, …]`` or, where this node's form is beyond it, ``None``: onnx-tf's own
handler then takes the node. ``node`` is onnx-tf's ``OnnxNode``; ``tensors`` gives each input in ONNX's layout or with
its channels last, and each output says which of the two it is.
"""

from typing import Callable, Dict, List, Optional

from onnx_tf.pb_wrapper import OnnxNode

from ferry.lowerings import (
    batch_normalization,
    binary,
    clip,
    concat,
    conv,
    conv_transpose,
    gather,
    gemm,
    pad,
    pool,
    reduce,
    reshape,
    resize,
    slice_,
    softmax,
    split,
    transpose,
    unary,
)
from ferry.tf_graph.tensors import Made, Tensors

Lowering = Callable[[OnnxNode, Tensors], Optional[List[Made]]]

LOWERINGS: Dict[str, Lowering] = {
    "BatchNormalization": batch_normalization.lower,
    "Clip": clip.lower,
    "Concat": concat.lower,
    "Conv": conv.lower,
    "ConvTranspose": conv_transpose.lower,
    "Gather": gather.lower,
    "Gemm": gemm.lower,
    "Pad": pad.lower,
    "Reshape": reshape.lower,
    "Flatten": reshape.lower_flatten,
    "Resize": resize.lower,
    "Upsample": resize.lower,
    "Slice": slice_.lower,
    "Softmax": softmax.lower,
    "Split": split.lower,
    "Transpose": transpose.lower,
    **dict.fromkeys(["AveragePool", "MaxPool"], pool.lower),
    **dict.fromkeys(reduce.FUNCTIONS, reduce.lower),
    **dict.fromkeys(binary.FUNCTIONS, binary.lower),
    **dict.fromkeys(unary.FUNCTIONS, unary.lower),
}
