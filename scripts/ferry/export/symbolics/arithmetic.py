"""Elementwise arithmetic."""

import math
from typing import Any

import torch
from torch.onnx import symbolic_helper, symbolic_opset9

from ferry.export.symbolics import traced


def _clamp(g: Any, x: Any, least: Any, most: Any) -> Any:
    # The exporter takes a bound's dtype from the number: clamp(0, 6) of floats would be one of integers.
    bounds = traced.number(least), traced.number(most)
    if bounds[0] is None or bounds[1] is None:
        return _clamp_max(g, x, most) if bounds[0] is None else _clamp_min(g, x, least)
    return g.op("Clip", x, *(traced.constant(g, bound, traced.dtype(x)) for bound in bounds))


def _clamp_min(g: Any, x: Any, least: Any) -> Any:
    # Opset 11 has the bounds as inputs; the exporter writes them as attributes, as until opset 10.
    return g.op("Clip", x, traced.constant(g, traced.number(least), traced.dtype(x)))


def _clamp_max(g: Any, x: Any, most: Any) -> Any:
    # A Clip's input that is left out in the middle cannot be written by this exporter.
    return g.op("Min", x, traced.constant(g, traced.number(most), traced.dtype(x)))


def _log10(g: Any, x: Any) -> Any:
    return g.op("Mul", g.op("Log", x), traced.constant(g, 1 / math.log(10), traced.dtype(x)))


def _addcmul(g: Any, x: Any, first: Any, second: Any, factor: Any) -> Any:
    product = g.op("Mul", first, second)
    return symbolic_opset9.add(g, x, _scaled(g, product, traced.number(factor)))


def _addcdiv(g: Any, x: Any, first: Any, second: Any, factor: Any) -> Any:
    quotient = g.op("Div", first, second)
    return symbolic_opset9.add(g, x, _scaled(g, quotient, traced.number(factor)))


def _scaled(g: Any, x: Any, factor: Any) -> Any:
    return x if factor == 1 else g.op("Mul", x, traced.constant(g, factor, traced.dtype(x)))


def _lerp(g: Any, start: Any, end: Any, weight: Any) -> Any:
    if not weight.isCompleteTensor() or traced.shape(weight) == []:
        weight = traced.constant(g, traced.number(weight), traced.dtype(start))
    return g.op("Add", start, g.op("Mul", weight, g.op("Sub", end, start)))


def _hardsigmoid(g: Any, x: Any) -> Any:
    ends = (traced.constant(g, end, traced.dtype(x)) for end in (0, 6))
    shifted = g.op("Clip", g.op("Add", x, traced.constant(g, 3, traced.dtype(x))), *ends)
    return g.op("Div", shifted, traced.constant(g, 6, traced.dtype(x)))


def _softshrink(g: Any, x: Any, width: Any) -> Any:
    bound = traced.constant(g, traced.number(width), traced.dtype(x))
    zero = traced.constant(g, 0, traced.dtype(x))
    above = g.op("Relu", g.op("Sub", x, bound))
    return g.op("Add", above, g.op("Min", g.op("Add", x, bound), zero))


def _hardshrink(g: Any, x: Any, width: Any) -> Any:
    bound, zero = (traced.constant(g, each, traced.dtype(x)) for each in (traced.number(width), 0))
    return g.op("Where", g.op("Greater", g.op("Abs", x), bound), x, zero)


def _celu(g: Any, x: Any, alpha: Any) -> Any:
    a = traced.number(alpha)
    scale = traced.constant(g, a, traced.dtype(x))
    return g.op("Mul", g.op("Elu", g.op("Div", x, scale)), scale)


def _expm1(g: Any, x: Any) -> Any:
    return g.op("Sub", g.op("Exp", x), traced.constant(g, 1, traced.dtype(x)))


def _trunc(g: Any, x: Any) -> Any:
    return g.op("Mul", g.op("Sign", x), g.op("Floor", g.op("Abs", x)))


def _frac(g: Any, x: Any) -> Any:
    return g.op("Sub", x, _trunc(g, x))


def _fmod(g: Any, x: Any, other: Any) -> Any:
    return g.op("Mod", x, _alike(g, x, other), fmod_i=1)


def _remainder(g: Any, x: Any, other: Any) -> Any:
    other = _alike(g, x, other)
    if not symbolic_helper._is_fp(x):
        # It has the divisor's sign; the exporter's has the dividend's.
        return g.op("Mod", x, other)
    return g.op("Sub", x, g.op("Mul", g.op("Floor", g.op("Div", x, other)), other))


def _alike(g: Any, x: Any, other: Any) -> Any:
    """``other`` in the dtype of ``x``: of a number the exporter makes an integer."""
    value = traced.number(other)
    if isinstance(value, torch._C.Value):
        return traced.cast(g, other, traced.kind(x)) if traced.kind(x) else other
    return traced.constant(g, value, traced.dtype(x))


def _atan2(g: Any, y: Any, x: Any) -> Any:
    zero, one = (traced.constant(g, each, traced.dtype(x)) for each in (0, 1))
    half, whole, other = (traced.constant(g, each, traced.dtype(x)) for each in (math.pi / 2, math.pi, -math.pi))
    on_axis = g.op("Equal", x, zero)
    steep = g.op("Atan", g.op("Div", y, g.op("Where", on_axis, one, x)))
    turned = g.op("Where", g.op("Less", y, zero), other, whole)
    beside = g.op("Add", steep, g.op("Where", g.op("Less", x, zero), turned, zero))
    return g.op("Where", on_axis, g.op("Mul", g.op("Sign", y), half), beside)


def _threshold(g: Any, x: Any, least: Any, value: Any) -> Any:
    bound, other = (traced.constant(g, traced.number(each), traced.dtype(x)) for each in (least, value))
    return g.op("Where", g.op("Greater", x, bound), x, other)


def _square(g: Any, x: Any) -> Any:
    return g.op("Mul", x, x)


def _by_name(operator: str) -> Any:
    def symbolic(g: Any, x: Any) -> Any:
        return g.op(operator, x)

    return symbolic


SYMBOLICS = {
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "log10": _log10,
    "addcmul": _addcmul,
    "addcdiv": _addcdiv,
    "lerp": _lerp,
    "hardsigmoid": _hardsigmoid,
    "softshrink": _softshrink,
    "hardshrink": _hardshrink,
    "celu": _celu,
    "expm1": _expm1,
    "trunc": _trunc,
    "frac": _frac,
    "fmod": _fmod,
    "remainder": _remainder,
    "atan2": _atan2,
    "square": _square,
    "threshold": _threshold,
    **{operator.lower(): _by_name(operator) for operator in ("Sinh", "Cosh", "Asinh", "Acosh", "Atanh")},
}
