"""Between which values each integer tensor of a graph lies, as far as its operators say so."""

from itertools import product
from typing import Dict, Optional, Tuple

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value

Range = Tuple[int, int]
INT32 = np.iinfo(np.int32)
INT64 = np.iinfo(np.int64)
# Each element of what they make is an element of what they read.
MOVING = {
    "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Max", "Min", "ReduceMax",
    "ReduceMin", "Reshape", "ScatterElements", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
# Of the inputs of these only so many are moved; the others say where.
VALUES = {"Expand": 1, "Gather": 1, "GatherElements": 1, "GatherND": 1, "Reshape": 1, "Slice": 1, "Split": 1, "Tile": 1}


def integer_ranges(graph: Graph) -> Dict[str, Range]:
    """The least and the largest value that each tensor of int32, int64 or bool can have, by name, where known."""
    found: Dict[Value, Range] = {}
    for constant in graph.constants:
        if constant.dtype is not None and constant.dtype.kind in "ib" and constant.array.size:
            found[constant] = int(constant.array.min()), int(constant.array.max())
    for node in graph:
        for position, value in enumerate(node.outputs):
            made = _made(node, position, found) if value is not None and node.is_standard else None
            # What overflows could be anything.
            if value is not None and made is not None and _fits(made, INT64):
                found[value] = made
    return {value.name: limits for value, limits in found.items()}


def combined(operator: str, a: Optional[Range], b: Optional[Range]) -> Optional[Range]:
    """The range of ``operator``, one of Add, Sub, Mul, Div and Mod, on operands of the ranges ``a`` and ``b``."""
    if operator == "Mod" and b is not None and (b[0] > 0 or b[1] < 0):
        return min(b[0] + 1, 0), max(b[1] - 1, 0)
    if a is None or b is None:
        return None
    if operator == "Add":
        return a[0] + b[0], a[1] + b[1]
    if operator == "Sub":
        return a[0] - b[1], a[1] - b[0]
    if operator == "Mul":
        corners = [one * other for one, other in product(a, b)]
        return min(corners), max(corners)
    if operator == "Div":
        # No quotient is farther from zero than what is divided.
        most = max(abs(a[0]), abs(a[1]))
        return (0 if a[0] >= 0 and b[0] > 0 else -most), most
    return None


def fits_int32(*ranges: Optional[Range]) -> bool:
    """Whether all ``ranges`` are known, and within int32."""
    return all(limits is not None and _fits(limits, INT32) for limits in ranges)


def _fits(limits: Range, kind: np.iinfo) -> bool:
    return bool(kind.min <= limits[0] and limits[1] <= kind.max)


def _made(node: Node, position: int, found: Dict[Value, Range]) -> Optional[Range]:
    kind, source = node.operator, node.input(0)
    shape = source.static_shape if source is not None else None
    if shape and (kind in ("ArgMax", "ArgMin") or (kind == "TopK" and position == 1)):
        return 0, shape[node.attributes.get("axis", -1 if kind == "TopK" else 0)] - 1
    if kind == "NonZero" and shape:
        return 0, max(shape) - 1
    ranges = [None if value is None else found.get(value) for value in node.inputs]
    if kind == "Cast" and source is not None and source.dtype is not None and source.dtype.kind in "ib":
        return ranges[0] or ((0, 1) if source.dtype.kind == "b" else None)
    if kind in MOVING:
        moved = ranges[1:] if kind == "Where" else ranges[: VALUES.get(kind, len(ranges))]
        known = [each for each in moved if each is not None]
        return (min(low for low, _ in known), max(high for _, high in known)) if len(known) == len(moved) else None
    if kind == "Clip" and len(ranges) == 3 and ranges[1] is not None and ranges[2] is not None:
        return ranges[1][0], ranges[2][1]
    if kind == "Neg" and ranges[0] is not None:
        return -ranges[0][1], -ranges[0][0]
    if len(ranges) == 2:
        return None if kind == "Mod" and node.attributes.get("fmod", 0) else combined(kind, *ranges)
    return None
