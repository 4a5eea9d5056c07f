"""How far vectors and tensors are from each other."""

from typing import Any

from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced

REDUCTIONS = {1: "ReduceL1", 2: "ReduceL2"}


def _cdist(g: Any, first: Any, second: Any, power: Any, *_: Any) -> Any:
    rank = len(traced.shape(first))
    left, right = g.op("Unsqueeze", first, axes_i=[rank - 1]), g.op("Unsqueeze", second, axes_i=[rank - 2])
    return g.op(_reduction(power), g.op("Sub", left, right), axes_i=[-1], keepdims_i=0)


def _dist(g: Any, first: Any, second: Any, power: Any) -> Any:
    return g.op(_reduction(power), g.op("Sub", first, second), keepdims_i=0)


def _norm(g: Any, x: Any, power: Any, axes: Any = None, keepdim: Any = None, *_: Any) -> Any:
    over = {} if axes is None else {"axes_i": symbolic_helper._get_const(axes, "is", "dim")}
    kept = 0 if keepdim is None else symbolic_helper._get_const(keepdim, "i", "keepdim")
    return g.op(_reduction(power), x, keepdims_i=kept, **over)


def _cosine_similarity(g: Any, first: Any, second: Any, axis: Any, least: Any) -> Any:
    axes = [symbolic_helper._get_const(axis, "i", "dim")]

    def summed(left: Any, right: Any) -> Any:
        return g.op("ReduceSum", g.op("Mul", left, right), axes_i=axes, keepdims_i=0)

    smallest = traced.constant(g, traced.number(least) ** 2, traced.dtype(first))
    sizes = g.op("Max", g.op("Mul", summed(first, first), summed(second, second)), smallest)
    return g.op("Div", summed(first, second), g.op("Sqrt", sizes))


def _reduction(power: Any) -> str:
    found = REDUCTIONS.get(traced.number(power))
    if found is None:
        raise ValueError("its power p must be 1 or 2")
    return found


SYMBOLICS = {"cdist": _cdist, "dist": _dist, "norm": _norm, "cosine_similarity": _cosine_similarity}
