"""TensorFlow forms of ONNX operators that TFLite has a fast kernel for. One operator, or one kind of them, a file.

A lowering is ``lower(node, tensors) -> [made, …]`` or, where this node's form is beyond it, ``None``: onnx-tf's own
handler then takes the node. ``node`` is onnx-tf's ``OnnxNode``; ``tensors`` gives each input in ONNX's layout or with
its channels last, and each output says which of the two it is.
"""

from typing import Callable, Dict, List, Optional

from onnx_tf.pb_wrapper import OnnxNode

from ferry.lowering.operators import (
    activations,
    arg,
    batch_normalization,
    binary,
    cast,
    clip,
    compare,
    concat,
    conv,
    conv_transpose,
    cum_sum,
    depth_to_space,
    dropout,
    einsum,
    erf,
    flat_gather,
    gather,
    gemm,
    instance_normalization,
    matmul,
    one_hot,
    pad,
    pool,
    pool_windows,
    power,
    prelu,
    recurrent,
    reduce,
    reduce_norm,
    reshape,
    resize,
    resize_by_taps,
    sign,
    slice_,
    softmax,
    split,
    tile,
    top_k,
    transpose,
    trigonometry,
    unary,
)
from ferry.lowering.tensors import Made, Tensors

Lowering = Callable[[OnnxNode, Tensors], Optional[List[Made]]]


def _first_of(*lowerings: Lowering) -> Lowering:
    """The lowering of the first of ``lowerings`` that takes a node."""

    def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
        return next((made for made in (each(node, tensors) for each in lowerings) if made is not None), None)

    return lower


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
    "Erf": erf.lower,
    "MatMul": matmul.lower,
    "PRelu": prelu.lower,
    "Flatten": reshape.lower_flatten,
    "Resize": _first_of(resize.lower, resize_by_taps.lower),
    "Upsample": _first_of(resize.lower, resize_by_taps.lower),
    "Slice": slice_.lower,
    "Softmax": softmax.lower,
    "Split": split.lower,
    "Transpose": transpose.lower,
    "Cast": cast.lower,
    "Dropout": dropout.lower,
    "Einsum": einsum.lower,
    "CumSum": cum_sum.lower,
    "DepthToSpace": depth_to_space.lower_depth_to_space,
    "SpaceToDepth": depth_to_space.lower_space_to_depth,
    "Expand": tile.lower_expand,
    "Tile": tile.lower,
    "GatherElements": flat_gather.lower_gather_elements,
    "GatherND": flat_gather.lower_gather_nd,
    "Scatter": flat_gather.lower_scatter_elements,
    "ScatterElements": flat_gather.lower_scatter_elements,
    "ScatterND": flat_gather.lower_scatter_nd,
    "InstanceNormalization": instance_normalization.lower,
    "Mod": power.lower_mod,
    "Not": compare.lower_not,
    "OneHot": one_hot.lower,
    "Pow": power.lower,
    "TopK": top_k.lower,
    "Where": compare.lower_where,
    "AveragePool": pool.lower,
    "MaxPool": _first_of(pool.lower, pool_windows.lower),
    **dict.fromkeys(["ArgMax", "ArgMin"], arg.lower),
    **dict.fromkeys(["IsInf", "IsNaN", "Sign"], sign.lower),
    **dict.fromkeys(activations.FUNCTIONS, activations.lower),
    **dict.fromkeys(compare.FUNCTIONS, compare.lower),
    **dict.fromkeys(recurrent.STEPS, recurrent.lower),
    **dict.fromkeys(reduce_norm.FUNCTIONS, reduce_norm.lower),
    **dict.fromkeys(trigonometry.FUNCTIONS, trigonometry.lower),
    **dict.fromkeys(reduce.FUNCTIONS, reduce.lower),
    **dict.fromkeys(binary.FUNCTIONS, binary.lower),
    **dict.fromkeys(unary.FUNCTIONS, unary.lower),
}
