"""GridSample and AffineGrid: values gathered at computed places, as PyTorch's ``grid_sample`` defines it."""

from itertools import product
from typing import List, NamedTuple, Tuple

import numpy as np
from onnx import TensorProto

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

# float32 counts up to here without a gap, and places are computed in it.
MOST_PLACES = 1 << 24
_LINEAR = ("linear", "bilinear")


class Corner(NamedTuple):
    """Along one axis: the place of a neighbour, from 0 to the last, and what it counts for; "" stands for 1."""

    place: str
    weight: str


@lowers("GridSample", since=16)
def grid_sample(call: Call) -> None:
    """Each output is the sum over the neighbours of its place in the grid, or the nearest of them."""
    graph, shape = call.graph, call.shape()
    if call.get("mode", "linear") not in (*_LINEAR, "nearest"):
        raise call.refuse(f"it has the mode {call.get('mode')!r}, and linear and nearest are those that Ferry knows")
    batch, channels, sizes = shape[0], shape[1], shape[2:]
    if np.prod((batch, *sizes)) > MOST_PLACES:
        raise call.refuse(f"its input has more than {MOST_PLACES} places")
    rank = len(sizes)
    last = graph.op("Transpose", [call.input(0)], perm=[0, *range(2, rank + 2), 1])
    rows = graph.op("Reshape", [last, graph.constant([-1, channels], np.int64)])
    axes = [_corners(call, axis, size, rank) for axis, size in enumerate(sizes)]
    total = ""
    for corners in product(*axes):
        values = _values(call, rows, corners, (batch, *sizes))
        total = graph.op("Add", [total, values]) if total else values
    graph.op("Transpose", [total], call.outputs, perm=[0, rank + 1, *range(1, rank + 1)])


def _corners(call: Call, axis: int, size: int, rank: int) -> List[Corner]:
    """The neighbours along an axis; the grid's last dimension names the axes from the last to the first."""
    graph = call.graph
    given = graph.op("Gather", [call.input(1), graph.constant(rank - 1 - axis, np.int64)], axis=-1)
    exact = _inside(call, _unnormalised(call, given, size), size)
    if call.get("mode", "linear") == "nearest":
        return [_corner(call, graph.op("Round", [exact]), "", size)]
    below = graph.op("Floor", [exact])
    share = graph.op("Sub", [exact, below])
    rest = graph.op("Sub", [graph.scalar(1, share), share])
    above = graph.op("Add", [below, graph.scalar(1, below)])
    return [_corner(call, below, rest, size), _corner(call, above, share, size)]


def _unnormalised(call: Call, given: str, size: int) -> str:
    """From -1 … 1 to places: the centres of the outer values are the ends, or their outer edges."""
    reach = size - 1 if call.get("align_corners", 0) else size
    scaled = call.graph.op("Mul", [given, call.graph.scalar(reach / 2, given)])
    return call.graph.op("Add", [scaled, call.graph.scalar((size - 1) / 2, given)])


def _inside(call: Call, exact: str, size: int) -> str:
    graph, padding = call.graph, call.get("padding_mode", "zeros")
    if padding == "zeros":
        return exact
    if padding == "reflection":
        low = 0.0 if call.get("align_corners", 0) else -0.5
        span = size - 1 - 2 * low
        if span:
            # A wave of triangles: what is left of a whole period, mirrored in its second half.
            moved = graph.op("Sub", [exact, graph.scalar(low, exact)])
            periods = graph.op("Floor", [graph.op("Div", [moved, graph.scalar(2 * span, exact)])])
            rest = graph.op("Sub", [moved, graph.op("Mul", [periods, graph.scalar(2 * span, exact)])])
            mirrored = graph.op("Abs", [graph.op("Sub", [rest, graph.scalar(span, exact)])])
            exact = graph.op("Sub", [graph.scalar(span + low, exact), mirrored])
    return graph.op("Clip", [exact, graph.scalar(0, exact), graph.scalar(size - 1, exact)])


def _corner(call: Call, place: str, weight: str, size: int) -> Corner:
    graph = call.graph
    clipped = graph.op("Clip", [place, graph.scalar(0, place), graph.scalar(size - 1, place)])
    if call.get("padding_mode", "zeros") == "zeros":
        exists = graph.op("Cast", [graph.op("Equal", [place, clipped])], to=TensorProto.FLOAT)
        weight = graph.op("Mul", [weight, exists]) if weight else exists
    return Corner(clipped, weight)


def _values(call: Call, rows: str, corners: Tuple[Corner, ...], sizes: Tuple[int, ...]) -> str:
    """The values at these corners, with the channels last, times what they count for."""
    graph = call.graph
    first = np.arange(sizes[0]) * np.prod(sizes[1:])
    place = graph.constant(first.reshape((-1, *[1] * (len(sizes) - 1))), np.float32)
    for axis, corner in enumerate(corners, start=1):
        stride = float(np.prod(sizes[axis + 1 :]))
        along = corner.place if stride == 1 else graph.op("Mul", [corner.place, graph.scalar(stride, corner.place)])
        place = graph.op("Add", [along, place])
    values = graph.op("Gather", [rows, graph.op("Cast", [place], to=TensorProto.INT64)], axis=0)
    weights = [corner.weight for corner in corners if corner.weight]
    if not weights:
        return values
    weight = weights[0]
    for other in weights[1:]:
        weight = graph.op("Mul", [weight, other])
    return graph.op("Mul", [values, graph.op("Unsqueeze", [weight], axes=[-1])])


@lowers("AffineGrid", since=20)
def affine_grid(call: Call) -> None:
    """The places of a regular grid, from -1 to 1, under a matrix for each sample."""
    graph, sizes = call.graph, call.integers(1, "sizes")[2:]
    ends = [1.0 if call.get("align_corners", 0) else 1 - 1 / size for size in sizes]
    lines = [np.linspace(-end, end, size) if size > 1 else np.zeros(1) for end, size in zip(ends, sizes)]
    mesh = np.meshgrid(*lines, indexing="ij")
    # The grid names the axes from the last to the first, and 1 is what the matrix adds.
    places = np.stack([*reversed(mesh), np.ones_like(mesh[0])], axis=-1).reshape(-1, len(sizes) + 1)
    turned = graph.op("Transpose", [call.input(0)], perm=[0, 2, 1])
    made = graph.op("MatMul", [graph.constant(places.astype(np.float32)), turned])
    graph.op("Reshape", [made, graph.constant([-1, *sizes, len(sizes)], np.int64)], call.outputs)
