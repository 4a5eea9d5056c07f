"""The element at one place of a sorted axis."""

from typing import Any, Tuple

import torch
from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced


def _smallest(g: Any, x: Any, place: int, axis: int, keepdim: bool) -> Tuple[Any, Any]:
    """The ``place`` smallest element along ``axis``, counted from 1, and where it is."""
    count = traced.constant(g, [place], torch.int64)
    values, indices = g.op("TopK", x, count, axis_i=axis, largest_i=0, sorted_i=1, outputs=2)
    found = [traced.sliced(g, each, axis, place - 1, place) for each in (values, indices)]
    first, second = found if keepdim else [g.op("Squeeze", each, axes_i=[axis]) for each in found]
    return first, second


@symbolic_helper.parse_args("v", "i", "i", "b")
def _kthvalue(g: Any, x: Any, place: int, axis: int, keepdim: bool) -> Tuple[Any, Any]:
    return _smallest(g, x, place, axis % len(traced.shape(x)), keepdim)


def _median(g: Any, x: Any, axis: Any = None, keepdim: Any = None) -> Any:
    sizes = traced.shape(x)
    if axis is None:
        flat = traced.reshaped(g, x, [-1])
        count = 1
        for size in sizes:
            count *= size
        return _smallest(g, flat, (count + 1) // 2, 0, False)[0]
    where = symbolic_helper._get_const(axis, "i", "dim") % len(sizes)
    return _smallest(g, x, (sizes[where] + 1) // 2, where, bool(symbolic_helper._get_const(keepdim, "i", "keepdim")))


SYMBOLICS = {"kthvalue": _kthvalue, "median": _median}
