"""Logic on booleans, as operators, methods and functions."""

from typing import Any, Callable

import torch

from ferry.export.symbolics import traced


def _logical(operator: str) -> Callable[..., Any]:
    def symbolic(g: Any, first: Any, second: Any) -> Any:
        return g.op(operator, traced.cast(g, first, "Bool"), traced.cast(g, second, "Bool"))

    return symbolic


def _bitwise(operator: str) -> Callable[..., Any]:
    def symbolic(g: Any, first: Any, second: Any) -> Any:
        kinds = {traced.kind(each) for each in (first, second)}
        if "Bool" not in kinds:
            raise ValueError(f"ONNX has no bits of integers; of booleans it has {operator}")
        return g.op(operator, traced.cast(g, first, "Bool"), traced.cast(g, second, "Bool"))

    return symbolic


def _logical_not(g: Any, x: Any) -> Any:
    return g.op("Not", traced.cast(g, x, "Bool"))


def _any(g: Any, x: Any, axis: Any = None, keep: Any = None) -> Any:
    return g.op("Greater", _count(g, traced.cast(g, x, "Bool"), axis, keep), traced.constant(g, 0, torch.float32))


def _all(g: Any, x: Any, axis: Any = None, keep: Any = None) -> Any:
    failing = g.op("Not", traced.cast(g, x, "Bool"))
    return g.op("Less", _count(g, failing, axis, keep), traced.constant(g, 0.5, torch.float32))


def _count(g: Any, x: Any, axis: Any, keep: Any) -> Any:
    # Floats count exactly up to 2**24, and TFLite sums them in a kernel of its own.
    numbers = g.op("Cast", x, to_i=1)
    if axis is None:
        return g.op("ReduceSum", numbers, keepdims_i=0)
    return g.op("ReduceSum", numbers, axes_i=[traced.number(axis)], keepdims_i=int(traced.number(keep, False)))


_NAMES = {"And": "and", "Or": "or", "Xor": "xor"}
SYMBOLICS = {
    "logical_not": _logical_not,
    "any": _any,
    "all": _all,
    **{f"logical_{name}": _logical(operator) for operator, name in _NAMES.items()},
    **{f"bitwise_{name}": _bitwise(operator) for operator, name in _NAMES.items()},
    **{f"__{name}_": _bitwise(operator) for operator, name in _NAMES.items()},
    **{f"__i{name}_": _bitwise(operator) for operator, name in _NAMES.items()},
}
