"""``Split``, in the layout its operand was made in."""

import tensorflow as tf

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Tensors, last_axis_of, same_layout


@lowers("Split")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Cut ``X`` along ``axis`` into the lengths of ``split``, or into equal ones."""
    shape = tensors.shape(node.inputs[0])
    axis = node.attributes["axis"]
    if shape is None or not -len(shape) <= axis < len(shape) or shape[axis] is None:
        return UNKNOWN_SHAPE
    lengths = node.attributes.get("split") or [shape[axis] // len(node.outputs)] * len(node.outputs)
    if sum(lengths) != shape[axis] or len(lengths) != len(node.outputs) or min(lengths) < 0:
        return Declined(f"it splits {shape[axis]} into {lengths}, for {len(node.outputs)} outputs")
    x, last = tensors.either(node.inputs[0])
    where = last_axis_of(axis, len(shape)) if last else axis
    # TFLite has faster kernels for SPLIT than for SPLIT_V.
    parts = len(lengths) if len(set(lengths)) == 1 else lengths
    return [same_layout(last, part) for part in tf.split(x, parts, axis=where)]
