"""How far vectors and tensors are from each other."""

from typing import Any

from ferry.export.symbolics import traced

REDUCTIONS = {1: "ReduceL1", 2: "ReduceL2"}


def _cdist(g: Any, first: Any, second: Any, power: Any, *_: Any) -> Any:
    rank = len(traced.shape(first))
    left, right = g.op("Unsqueeze", first, axes_i=[rank - 1]), g.op("Unsqueeze", second, axes_i=[rank - 2])
    return g.op(_reduction(power), g.op("Sub", left, right), axes_i=[-1], keepdims_i=0)


def _dist(g: Any, first: Any, second: Any, power: Any) -> Any:
    return g.op(_reduction(power), g.op("Sub", first, second), keepdims_i=0)


def _reduction(power: Any) -> str:
    found = REDUCTIONS.get(traced.number(power))
    if found is None:
        raise ValueError("its power p must be 1 or 2")
    return found


SYMBOLICS = {"cdist": _cdist, "dist": _dist}
