"""``Reshape`` to a constant shape, and ``Flatten``, with no int64 arithmetic left in the graph."""

from typing import List

import numpy as np

from ferry.graph.operator_registry import lowers
from ferry.lowering.declined import UNKNOWN_RANK, UNKNOWN_SHAPE, Declined, Lowered
from ferry.lowering.node import Node
from ferry.lowering.tensors import Made, Tensors, reshaped


@lowers("Reshape")
def lower(node: Node, tensors: Tensors) -> Lowered:
    """Reshape ``X`` to a constant shape in which 0 keeps the dimension of ``X`` and one -1 is inferred."""
    before = tensors.shape(node.inputs[0])
    target = tensors.constant(node.inputs[1]) if len(node.inputs) > 1 else node.attributes.get("shape")
    if target is None:
        return Declined("the shape it makes is computed from the model's inputs")
    if before is None:
        return UNKNOWN_RANK
    shape = []
    for position, value in enumerate(target):
        if value == 0 and position >= len(before):
            return Declined(f"it keeps dimension {position} of an input of {len(before)} dimensions")
        size = int(value) if value != 0 else before[position]
        if size is None:
            return UNKNOWN_SHAPE
        shape.append(size)
    if -1 in shape and None not in before:
        known = int(np.prod([size for size in shape if size != -1]))
        if known:
            shape[shape.index(-1)] = int(np.prod(before)) // known
    return _reshaped(node, tensors, shape)


@lowers("Flatten")
def lower_flatten(node: Node, tensors: Tensors) -> Lowered:
    """Make ``X`` a matrix: the dimensions before ``axis`` are its rows."""
    before = tensors.shape(node.inputs[0])
    axis = node.attributes["axis"]
    if before is None or None in before:
        return UNKNOWN_SHAPE
    axis = axis + len(before) if axis < 0 else axis
    return _reshaped(node, tensors, [int(np.prod(before[:axis])), int(np.prod(before[axis:]))])


def _reshaped(node: Node, tensors: Tensors, shape: List[int]) -> List[Made]:
    source, before = node.inputs[0], tensors.shape(node.inputs[0])
    if tensors.made_last(source) and before and None not in before and len(shape) == 2 and shape[0] == before[0]:
        tensors.note_flattened(node.outputs[0], source)
    return [reshaped(tensors[node.inputs[0]], shape, node.name or None)]
