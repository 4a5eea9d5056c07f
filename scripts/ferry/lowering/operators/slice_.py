"""``Slice`` with constant bounds, in the layout its operand was made in."""

from typing import List, Optional

from onnx_tf.pb_wrapper import OnnxNode

from ferry.graph.operator_registry import lowers
from ferry.lowering.tensors import Made, Tensors, last_axis_of, same_layout


@lowers("Slice")
def lower(node: OnnxNode, tensors: Tensors) -> Optional[List[Made]]:
    """Take ``X[start:end:step]`` along each of ``axes``; the bounds are inputs (opset 10 on) or attributes (before)."""
    shape = tensors.shape(node.inputs[0])
    bounds = _bounds(node, tensors)
    if shape is None or bounds is None:
        return None
    starts, ends = bounds[0] or [], bounds[1] or []
    rank = len(shape)
    axes = bounds[2] or list(range(len(starts)))
    steps = bounds[3] or [1] * len(starts)
    x, last = tensors.either(node.inputs[0])
    slices = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps):
        size = shape[axis]
        if size is None:
            return None
        # Python clamps as ONNX does, once the size is known.
        first, beyond, stride = slice(start, end, step).indices(size)
        where = last_axis_of(axis, rank) if last else axis % rank
        slices[where] = slice(first, None if beyond < 0 else beyond, stride)
    return [same_layout(last, x[tuple(slices)])]


def _bounds(node: OnnxNode, tensors: Tensors) -> Optional[List[Optional[List[int]]]]:
    if len(node.inputs) == 1:
        return [node.attrs.get(name) for name in ("starts", "ends", "axes", "steps")]
    bounds: List[Optional[List[int]]] = []
    for position in range(1, 5):
        if len(node.inputs) <= position or not node.inputs[position]:
            bounds.append(None)
            continue
        constant = tensors.constant(node.inputs[position])
        if constant is None:
            return None
        bounds.append([int(value) for value in constant])
    return bounds
