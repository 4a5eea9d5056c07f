"""Sequences of tensors, which no model has any more once it is known at each place which tensors one holds.

PyTorch's exporters write ``chunk``, ``split`` and ``unbind`` so.
"""

from typing import List

import numpy as np

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("SequenceConstruct", since=13)
def construct(call: Call) -> None:
    """A sequence of the tensors that are its inputs."""
    call.graph.sequences[call.outputs[0]] = list(call.node.input)


@lowers("SequenceEmpty", since=13)
def empty(call: Call) -> None:
    """A sequence of none."""
    call.graph.sequences[call.outputs[0]] = []


@lowers("SplitToSequence", since=13)
def split(call: Call) -> None:
    """The parts of a tensor: of given sizes, all of one size but the last, or slices of size 1."""
    graph, x = call.graph, call.input(0)
    axis = call.axis(0)
    whole = (graph.type_of(x).shape or ())[axis]
    if whole is None:
        raise call.refuse(f"the size of {x!r} along axis {axis} is not known")
    given = call.value(1, "sizes") if call.has(1) else np.array(1)
    if given.shape:
        sizes = [int(size) for size in given]
    elif given > 0:
        sizes = [min(int(given), whole - start) for start in range(0, whole, int(given))]
    else:
        raise call.refuse(f"its parts have the size {given}")
    parts = [graph.names.new(f"{call.outputs[0]}/part") for _ in sizes]
    graph.op("Split", [x], parts, axis=axis, split=sizes)
    if not call.has(1) and not call.get("keepdims", 1):
        parts = [graph.op("Squeeze", [part], axes=[axis]) for part in parts]
    graph.sequences[call.outputs[0]] = parts


@lowers("SequenceInsert", "SequenceErase", since=13)
def change(call: Call) -> None:
    """The sequence with one tensor more, or one fewer; without a place it is the last."""
    tensors = list(_tensors(call))
    if call.node.op_type == "SequenceInsert":
        tensors.insert(call.integers(2, "place")[0] if call.has(2) else len(tensors), call.input(1))
    else:
        del tensors[_checked(call, 1, tensors) if call.has(1) else -1]
    call.graph.sequences[call.outputs[0]] = tensors


@lowers("SequenceAt", since=13)
def at(call: Call) -> None:
    """One tensor of a sequence."""
    tensors = _tensors(call)
    call.graph.op("Identity", [tensors[_checked(call, 1, tensors)]], call.outputs)


@lowers("SequenceLength", since=13)
def length(call: Call) -> None:
    """How many tensors there are."""
    call.graph.op("Identity", [call.graph.constant(len(_tensors(call)), np.int64)], call.outputs)


@lowers("ConcatFromSequence", since=13)
def concat(call: Call) -> None:
    """All of them one after the other, or side by side along an axis of their own."""
    graph, tensors, axis = call.graph, _tensors(call), call.get("axis")
    if call.get("new_axis", 0):
        tensors = [graph.op("Unsqueeze", [tensor], axes=[axis]) for tensor in tensors]
    graph.op("Concat", tensors, call.outputs, axis=axis)


def _tensors(call: Call) -> List[str]:
    found = call.graph.sequences.get(call.input(0))
    if found is None:
        raise call.refuse("which tensors its sequence holds is not known, and TFLite knows tensors only")
    return found


def _checked(call: Call, position: int, tensors: List[str]) -> int:
    place = call.integers(position, "place")[0]
    if not -len(tensors) <= place < len(tensors):
        raise call.refuse(f"place {place} is none of a sequence of {len(tensors)} tensors")
    return place
