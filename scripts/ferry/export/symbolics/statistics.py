"""Sums, and the variance and what is computed from it."""

from typing import Any, Callable, List, Tuple

import numpy as np
from torch.onnx import symbolic_helper, symbolic_opset9

from ferry.export.symbolics import traced


def _of_numbers(original: Callable[..., Any]) -> Callable[..., Any]:
    """``original`` for booleans too, which PyTorch adds up as int64 and ONNX does not add up at all."""

    def symbolic(g: Any, x: Any, *arguments: Any) -> Any:
        if traced.kind(x) == "Bool":
            x = traced.cast(g, x, "Long")
        return original(g, x, *arguments)

    return symbolic


def _moments(g: Any, x: Any, arguments: Tuple[Any, ...]) -> Tuple[Any, Any]:
    """The mean and the variance, for the arguments ``(unbiased)`` or ``(axes, unbiased, keepdim)``."""
    sizes = traced.shape(x)
    axes, keep = list(range(len(sizes))), 0
    if len(arguments) > 1:
        axes = [axis % len(sizes) for axis in symbolic_helper._get_const(arguments[0], "is", "dim")] or axes
        keep = int(traced.number(arguments[2]))
    unbiased = bool(traced.number(arguments[0 if len(arguments) == 1 else 1]))
    mean = g.op("ReduceMean", x, axes_i=axes, keepdims_i=1)
    off = g.op("Sub", x, mean)
    variance = g.op("ReduceMean", g.op("Mul", off, off), axes_i=axes, keepdims_i=keep)
    count = int(np.prod([sizes[axis] for axis in axes], dtype=np.int64))
    if unbiased:
        # Of one number PyTorch makes NaN.
        factor = count / (count - 1) if count > 1 else float("nan")
        variance = g.op("Mul", variance, traced.constant(g, factor, traced.dtype(x)))
    if not keep:
        mean = traced.reshaped(g, mean, [size for axis, size in enumerate(sizes) if axis not in axes])
    return mean, variance


def _var(g: Any, x: Any, *arguments: Any) -> Any:
    return _moments(g, x, arguments)[1]


def _std(g: Any, x: Any, *arguments: Any) -> Any:
    return g.op("Sqrt", _moments(g, x, arguments)[1])


def _var_mean(g: Any, x: Any, *arguments: Any) -> List[Any]:
    mean, variance = _moments(g, x, arguments)
    return [variance, mean]


def _std_mean(g: Any, x: Any, *arguments: Any) -> List[Any]:
    mean, variance = _moments(g, x, arguments)
    return [g.op("Sqrt", variance), mean]


SYMBOLICS = {
    "sum": _of_numbers(symbolic_opset9.sum),
    "var": _var,
    "std": _std,
    "var_mean": _var_mean,
    "std_mean": _std_mean,
}
