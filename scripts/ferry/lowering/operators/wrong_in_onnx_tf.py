"""Operators that Ferry has no form for, and that onnx-tf 1.6.0 converts to something else than ONNX says."""

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors

REASONS = {
    "ConstantOfShape": "the shape it makes depends on the values of the model's inputs",
    "NonMaxSuppression": "how many boxes it keeps depends on the values of the model's inputs",
    # TFLite 2.4 multiplies 8-bit integers that it was meant to widen.
    "QLinearConv": "Ferry converts models in floating point",
    "QLinearMatMul": "Ferry converts models in floating point",
    # What of a sequence onnx-tf converts depends on how it was made, and TFLite 2.4 crashes on one that starts empty.
    **dict.fromkeys(
        ["ConcatFromSequence", "SplitToSequence"]
        + [f"Sequence{verb}" for verb in ("At", "Construct", "Empty", "Erase", "Insert", "Length")],
        "a sequence of tensors has no form in TFLite",
    ),
}


@lowers(*REASONS)
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Say why not. A shape or a count that is constant has been folded before."""
    return Declined(REASONS[node.operator], onnx_tf_differs=True)
