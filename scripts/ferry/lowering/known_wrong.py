"""What onnx-tf 1.6.0 accepts and computes wrongly: refused, where no lowering of Ferry's has taken it before."""

from typing import Callable, Dict, Optional

import tensorflow as tf
from onnx_tf.pb_wrapper import OnnxNode

from ferry.errors import UnsupportedModelError
from ferry.lowering.tensors import Tensors

Check = Callable[[OnnxNode, Tensors], Optional[str]]


def refuse_known_wrong(node: OnnxNode, tensors: Tensors) -> None:
    """Raise UnsupportedModelError if onnx-tf's handler would make something else of ``node`` than ONNX says."""
    check = CHECKS.get(node.op_type)
    reason = check(node, tensors) if check else None
    if reason:
        raise UnsupportedModelError(
            f"the ONNX operator {node.op_type} (node {node.name or 'without a name'!r}) cannot be carried to "
            f"TensorFlow: {reason}"
        )


def _always(reason: str) -> Check:
    return lambda node, tensors: reason


def _cast(node: OnnxNode, tensors: Tensors) -> Optional[str]:
    # TensorFlow writes 0.1 as "0.1", ONNX as NumPy does.
    return "numbers are not made strings" if node.attrs["to"] == tf.string else None


def _pad(node: OnnxNode, tensors: Tensors) -> Optional[str]:
    return "its mode 'edge' is carried for constant widths only" if node.attrs.get("mode") == "edge" else None


def _shape_of_constant(node: OnnxNode, tensors: Tensors) -> Optional[str]:
    known = tensors.constant(node.inputs[0]) is not None
    return None if known else "the shape it makes depends on the values of the model's inputs"


def _mod(node: OnnxNode, tensors: Tensors) -> Optional[str]:
    # TensorFlow has no kernel for it, and finds out when the graph runs.
    return "float16 has no remainder here" if tensors[node.inputs[0]].dtype == tf.float16 else None


# What of a sequence onnx-tf carries depends on how it was made, and TFLite 2.4 crashes on one that starts empty.
SEQUENCE = _always("a sequence of tensors has no form in TFLite")

CHECKS: Dict[str, Check] = {
    "Cast": _cast,
    "ConstantOfShape": _shape_of_constant,
    "CumSum": _always("its dimension depends on the values of the model's inputs, or its type is not carried"),
    "Dropout": _always("it is in training mode, and drops values at random"),
    **dict.fromkeys(["GRU", "LSTM", "RNN"], _always("its weights are computed, it clips, or it has a rare activation")),
    "Mod": _mod,
    "NonMaxSuppression": _always("how many boxes it keeps depends on the values of the model's inputs"),
    "Pad": _pad,
    # TFLite 2.4 multiplies 8-bit integers it was meant to widen.
    "QLinearMatMul": _always("Ferry carries models in floating point"),
    "QLinearConv": _always("Ferry carries models in floating point"),
    "Resize": _always("its region, scales or sizes depend on the values of the model's inputs, or its mode is unknown"),
    **dict.fromkeys(["ConcatFromSequence", "SplitToSequence"], SEQUENCE),
    **dict.fromkeys(
        [f"Sequence{verb}" for verb in ("At", "Construct", "Empty", "Erase", "Insert", "Length")], SEQUENCE
    ),
    # Its slices by computed bounds lose even the number of dimensions.
    "Slice": _always("its bounds depend on the values of the model's inputs"),
}
