"""``Slice`` with constant bounds, in the layout its operand was made in."""

from typing import List, Optional

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, last_axis_of, same_layout


@lowers("Slice")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Take ``X[start:end:step]`` along each of ``axes``; the bounds are inputs (opset 10 on) or attributes (before)."""
    shape = tensors.shape(node.inputs[0])
    bounds = _bounds(node, tensors)
    if shape is None or bounds is None:
        # onnx-tf's slices by computed bounds lose even the number of dimensions.
        what = "its bounds are computed from the model's inputs"
        return Declined(UNKNOWN_RANK.reason if shape is None else what, onnx_tf_differs=True)
    starts, ends = bounds[0] or [], bounds[1] or []
    rank = len(shape)
    axes = bounds[2] or list(range(len(starts)))
    steps = bounds[3] or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        return Declined(f"it slices {axes} from {starts} to {ends} by {steps}", onnx_tf_differs=True)
    if any(not -rank <= axis < rank for axis in axes):
        return Declined(f"it slices the dimensions {axes} of {rank}", onnx_tf_differs=True)
    x, last = tensors.either(node.inputs[0])
    slices = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps):
        size = shape[axis]
        if size is None:
            return Declined(UNKNOWN_SHAPE.reason, onnx_tf_differs=True)
        # Python clamps as ONNX does, once the size is known.
        first, beyond, stride = slice(start, end, step).indices(size)
        where = last_axis_of(axis, rank) if last else axis % rank
        slices[where] = slice(first, None if beyond < 0 else beyond, stride)
    return [same_layout(last, x[tuple(slices)])]


def _bounds(node: Node, tensors: Tensors) -> Optional[List[Optional[List[int]]]]:
    if node.input(1) is None:
        return [node.attributes.get(name) for name in ("starts", "ends", "axes", "steps")]
    bounds: List[Optional[List[int]]] = []
    for position in range(1, 5):
        name = node.input(position)
        constant = tensors.constant(name) if name else None
        if name and constant is None:
            return None
        bounds.append(None if constant is None else [int(value) for value in constant.reshape(-1)])
    return bounds
