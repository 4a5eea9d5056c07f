"""Functions of each element alone.

A runtime's kernel for a transcendental function is a polynomial or a rational approximation, off by up to a few units
in the last place; some are off by a few units of their largest value instead, and so is what a lowering makes of
operators that TFLite has. Both are stated here, function by function.
"""

import math
from typing import Callable, Dict, List, NamedTuple, Optional

import numpy as np

from ferry.evaluate.bounded import UNIT, Bounded, added, rounding, spread
from ferry.evaluate.registry import Node, operator, required


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, element by element."""
    return np.fromiter(map(math.erf, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)), which does not overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), which does not overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


class Accuracy(NamedTuple):
    """A function, and what a kernel of it may be off by: units of the value, and units of 1."""

    function: Callable[[np.ndarray], np.ndarray]
    relative: float
    absolute: float = 0.0


# What rises or falls throughout: a bound passes through it by its values at both ends.
MONOTONE: Dict[str, Accuracy] = {
    "Acos": Accuracy(np.arccos, 16, 16),
    "Acosh": Accuracy(np.arccosh, 16, 16),
    "Asin": Accuracy(np.arcsin, 16, 16),
    "Asinh": Accuracy(np.arcsinh, 16),
    "Atan": Accuracy(np.arctan, 16),
    "Atanh": Accuracy(np.arctanh, 16),
    "Erf": Accuracy(erf, 8, 8),
    "Log": Accuracy(np.log, 8, 1),
    "Reciprocal": Accuracy(np.reciprocal, 4),
    "Sigmoid": Accuracy(sigmoid, 8, 4),
    "Softplus": Accuracy(softplus, 8, 4),
    "Softsign": Accuracy(lambda x: x / (1 + np.abs(x)), 8),
    "Sqrt": Accuracy(np.sqrt, 4),
    "Tanh": Accuracy(np.tanh, 16, 2),
}
STEPS: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Ceil": np.ceil,
    "Floor": np.floor,
    "Relu": lambda x: np.maximum(x, 0),
    "Round": np.round,
    "Sign": np.sign,
}
# What comes of exp: an argument that is off by its own rounding is as much as this, over the value.
EXPONENTIAL: Dict[str, Callable[[np.ndarray], np.ndarray]] = {"Cosh": np.cosh, "Exp": np.exp, "Sinh": np.sinh}
PERIODIC: Dict[str, Callable[[np.ndarray], np.ndarray]] = {"Cos": np.cos, "Sin": np.sin}


@operator(*MONOTONE)
def monotone(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A transcendental function that rises or falls throughout."""
    x, (function, relative, absolute) = required(inputs), MONOTONE[node.operator]
    value = function(x.value)
    if not node.bounds:
        return [Bounded(value)]
    error = added(spread(function, x, value), rounding(value, relative, absolute))
    if node.operator == "Reciprocal" and x.error is not None:
        error = np.where(np.abs(x.value) > x.error, error, np.inf)
    return [Bounded(value, error)]


@operator(*STEPS)
def step(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """What is exact in every runtime, and may jump where its argument is not."""
    x, function = required(inputs), STEPS[node.operator]
    value = function(x.value)
    return [Bounded(value, spread(function, x, value))]


@operator(*EXPONENTIAL)
def exponential(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """exp and its sums."""
    x, function = required(inputs), EXPONENTIAL[node.operator]
    value = function(x.value)
    if not node.bounds:
        return [Bounded(value)]
    sides = spread(function, x, value)
    if sides is not None and node.operator == "Cosh":
        sides = np.maximum(sides, np.where(np.abs(x.value) < x.error, value - 1, 0))
    error = added(sides, rounding(value, 8) + UNIT * np.abs(value * x.value))
    return [Bounded(value, error)]


@operator(*PERIODIC)
def periodic(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """sin and cos: an argument is reduced to one period first, and its rounding is what large ones are off by."""
    x, function = required(inputs), PERIODIC[node.operator]
    value = function(x.value)
    if not node.bounds:
        return [Bounded(value)]
    propagated = None if x.error is None else np.minimum(x.error, 2.0)
    error = added(propagated, np.minimum(rounding(x.value, 2, 4), 2.0))
    return [Bounded(value, error)]


@operator("Tan")
def tangent(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """sin / cos."""
    x = required(inputs)
    value = np.tan(x.value)
    if not node.bounds:
        return [Bounded(value)]
    off = added(x.error, rounding(x.value, 2, 8))
    assert off is not None
    # The derivative is 1 + tan², which a bound must not reach a pole by.
    error = np.where(off * (1 + np.abs(value)) < 0.1, 2 * off * (1 + value * value), np.inf)
    return [Bounded(value, error + rounding(value, 8))]


@operator("Abs", "Neg")
def signs(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """What changes the sign alone."""
    x = required(inputs)
    return [Bounded(np.abs(x.value) if node.operator == "Abs" else -x.value, x.error)]


@operator("IsInf", "IsNaN")
def not_finite(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Whether an element is infinite, of either sign or of one, or no number."""
    x = required(inputs).value
    if node.operator == "IsNaN":
        return [Bounded(np.isnan(x))]
    above, below = (node.attribute(f"detect_{sign}", 1) for sign in ("positive", "negative"))
    return [Bounded(np.isinf(x) & ((x < 0) | bool(above)) & ((x > 0) | bool(below)))]
