"""What asks for shapes, or is given them: Shape, Reshape, Trilu, CenterCropPad, Pad, CastLike, Identity."""

from typing import List

import numpy as np

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

_TO_THE_END = np.iinfo(np.int64).max


@lowers("Shape", since=15)
def shape(call: Call) -> None:
    """The dimensions from ``start`` to ``end``."""
    graph, start, end = call.graph, call.get("start", 0), call.get("end")
    if not start and end is None:
        graph.op("Shape", [call.input(0)], call.outputs)
        return
    whole = graph.op("Shape", [call.input(0)])
    if graph.type_of(call.input(0)).shape is not None:
        rank = call.rank()
        start, end, _ = slice(start, end).indices(rank)
        end = max(start, end)
    bounds = [graph.constant([start], np.int64), graph.constant([_TO_THE_END if end is None else end], np.int64)]
    graph.op("Slice", [whole, *bounds], call.outputs)


@lowers("Reshape", since=14)
def reshape(call: Call) -> None:
    """With ``allowzero`` a 0 is a size. In opset 12 it means the input's own, which is the same only if that is 0."""
    if call.get("allowzero", 0):
        wanted = call.integers(1, "sizes")
        own = call.graph.type_of(call.input(0)).shape
        if any(not size and (own is None or own[axis : axis + 1] != (0,)) for axis, size in enumerate(wanted)):
            raise call.refuse(f"with allowzero it makes a tensor of no values, of shape {wanted}")
    call.graph.op("Reshape", [call.input(0), call.input(1)], call.outputs)


@lowers("Trilu", since=14)
def trilu(call: Call) -> None:
    """What lies on one side of a diagonal is chosen by a constant mask, the rest is 0."""
    graph, x = call.graph, call.input(0)
    rank = call.rank()
    if rank < 2:
        raise call.refuse(f"{x!r} has {rank} dimensions, and a matrix has two at least")
    rows, columns = (graph.type_of(x).shape or ())[-2:]
    if rows is None or columns is None:
        raise call.refuse(f"the shape of {x!r} is not known")
    diagonal = call.integers(1, "diagonal")[0] if call.has(1) else 0
    ones = np.ones((rows, columns), np.bool_)
    kept = np.triu(ones, diagonal) if call.get("upper", 1) else np.tril(ones, diagonal)
    if graph.dtype(x) == np.bool_:
        graph.op("And", [x, graph.constant(kept)], call.outputs)
    else:
        graph.op("Where", [graph.constant(kept), x, graph.scalar(0, x)], call.outputs)


@lowers("CenterCropPad", since=18)
def center_crop_pad(call: Call) -> None:
    """Larger dimensions are cut on both sides, smaller ones padded with 0; the odd one goes to the end."""
    graph, sizes = call.graph, call.shape()
    rank = len(sizes)
    axes = [call.checked_axis(axis, rank) for axis in call.get("axes", range(rank))]
    wanted = dict(zip(axes, call.integers(1, "sizes")))
    surplus = [size - wanted.get(axis, size) for axis, size in enumerate(sizes)]
    cut = [axis for axis in range(rank) if surplus[axis] > 0]
    x = call.input(0)
    if cut:
        starts = [surplus[axis] // 2 for axis in cut]
        ends = [start + wanted[axis] for start, axis in zip(starts, cut)]
        x = graph.op("Slice", [x, *(graph.constant(each, np.int64) for each in (starts, ends, cut))])
    lacking = [max(0, -each) for each in surplus]
    pads = [each // 2 for each in lacking] + [each - each // 2 for each in lacking]
    if any(pads):
        graph.op("Pad", [x, graph.constant(pads, np.int64)], call.outputs)
    else:
        graph.op("Identity", [x], call.outputs)


@lowers("Pad", since=18)
def pad(call: Call) -> None:
    """Pads for some axes only become pads for all; wrapping around is written as slices."""
    graph = call.graph
    pads = call.input(1)
    whole: List[int] = []
    if call.has(3):
        rank = call.rank()
        axes = [call.checked_axis(axis, rank) for axis in call.integers(3, "axes")]
        given = call.integers(1, "sizes")
        whole = [0] * (2 * rank)
        for position, axis in enumerate(axes):
            whole[axis], whole[axis + rank] = given[position], given[position + len(axes)]
        pads = graph.constant(whole, np.int64)
    if call.get("mode", "constant") == "wrap":
        _wrap(call, whole if call.has(3) else call.integers(1, "sizes"))
        return
    fill = [call.input(2)] if call.has(2) else []
    graph.op("Pad", [call.input(0), pads, *fill], call.outputs, mode=call.get("mode", "constant"))


def _wrap(call: Call, pads: List[int]) -> None:
    graph, x, sizes = call.graph, call.input(0), call.shape()
    rank = len(sizes)
    for axis, size in enumerate(sizes):
        before, after = pads[axis], pads[axis + rank]
        if before or after:
            taken = np.arange(-before, size + after) % size
            x = graph.op("Gather", [x, graph.constant(taken, np.int64)], axis=axis)
    graph.op("Identity", [x], call.outputs)


@lowers("CastLike", since=15)
def cast_like(call: Call) -> None:
    """A cast to the type that the other tensor is known to have."""
    element = call.graph.type_of(call.input(1)).element
    if not element:
        raise call.refuse(f"the type of {call.input(1)!r} is not known")
    call.graph.op("Cast", [call.input(0)], call.outputs, to=element)


@lowers("SpaceToDepth", since=28)
def space_to_depth(call: Call) -> None:
    """``CRD`` leaves the channels outermost; it is two reshapes and a transpose between them."""
    if call.get("mode", "DCR") != "CRD":
        unchanged.write(call)
        return
    graph, block = call.graph, call.get("blocksize")
    batch, channels, height, width = call.shape()
    inner = [batch, channels, height // block, block, width // block, block]
    split = graph.op("Reshape", [call.input(0), graph.constant(inner, np.int64)])
    moved = graph.op("Transpose", [split], perm=[0, 1, 3, 5, 2, 4])
    outer = [batch, channels * block * block, height // block, width // block]
    graph.op("Reshape", [moved, graph.constant(outer, np.int64)], call.outputs)
