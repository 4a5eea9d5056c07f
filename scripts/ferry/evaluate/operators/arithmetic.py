"""Arithmetic of two operands or more, which broadcast."""

from functools import reduce
from typing import Callable, Dict, List, Optional

import numpy as np

from ferry.evaluate.bounded import OTHER_FORMS, UNIT, Bounded, error_of, errors, gamma, largest_magnitude, rounding
from ferry.evaluate.registry import Node, operator, required


def add(first: Bounded, second: Bounded, bounds: bool, sign: int = 1) -> Bounded:
    """The sum, or with ``sign`` -1 the difference.

    Its bound is that of the terms' magnitudes: of three terms a converter may add the two constant ones beforehand, and
    what that rounds by does not shrink where the first two cancel each other.
    """
    value = first.value + second.value if sign > 0 else first.value - second.value
    if not bounds or value.dtype.kind != "f":
        return Bounded(value)
    terms = np.abs(first.value) + np.abs(second.value)
    return Bounded(value, rounding(terms, 2) + (error_of(first) + error_of(second)))


def multiply(first: Bounded, second: Bounded, bounds: bool) -> Bounded:
    """The product."""
    value = first.value * second.value
    if not bounds or value.dtype.kind != "f":
        return Bounded(value)
    error = rounding(value, 2)
    if errors(first, second):
        error = error + np.abs(first.value) * error_of(second) + largest_magnitude(second) * error_of(first)
    return Bounded(value, error)


def divide(first: Bounded, second: Bounded, bounds: bool) -> Bounded:
    """The quotient; of integers towards zero."""
    if first.value.dtype.kind in "iu":
        quotient = np.abs(first.value) // np.maximum(np.abs(second.value), 1)
        return Bounded((np.sign(first.value) * np.sign(second.value) * quotient).astype(first.value.dtype))
    value = first.value / second.value
    if not bounds:
        return Bounded(value)
    error = rounding(value, 4)
    if errors(first, second):
        size, off = np.abs(second.value), error_of(second)
        safe = size > off
        left = np.where(safe, size - off, 1.0)
        error = np.where(safe, error + (error_of(first) + np.abs(value) * off) / left, np.inf)
    return Bounded(value, error)


BINARY: Dict[str, Callable[[Bounded, Bounded, bool], Bounded]] = {
    "Add": add,
    "Div": divide,
    "Mul": multiply,
    "Sub": lambda first, second, bounds: add(first, second, bounds, -1),
}


@operator(*BINARY)
def binary(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The four of them."""
    first, second = required(inputs), required(inputs, 1)
    return [BINARY[node.operator](first, second, node.bounds)]


@operator("Max", "Min")
def extreme(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The largest or the smallest of all operands: it is off by no more than they are."""
    tensors = [each for each in inputs if each is not None]
    function = np.maximum if node.operator == "Max" else np.minimum
    value = np.asarray(reduce(function, [each.value for each in tensors]))
    if not errors(*tensors):
        return [Bounded(value)]
    error = np.asarray(reduce(np.maximum, [np.asarray(error_of(each)) for each in tensors]))
    return [Bounded(value, np.array(np.broadcast_to(error, value.shape)))]


@operator("Sum", "Mean")
def total(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The sum of all operands, or its share."""
    tensors = [each for each in inputs if each is not None]
    share = 1 / len(tensors) if node.operator == "Mean" else 1.0
    value = np.asarray(share * sum(each.value for each in tensors))
    if not node.bounds:
        return [Bounded(value)]
    size = sum(largest_magnitude(each) for each in tensors)
    propagated = sum(error_of(each) for each in tensors)
    return [Bounded(value, np.asarray(share * (gamma(len(tensors) + 2) * size + propagated)))]


@operator("Pow")
def power(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A power: by multiplying where the exponent is a small whole number, or exp(y log x)."""
    x, y = required(inputs), required(inputs, 1)
    value = np.power(x.value.astype(np.float64), y.value)
    if not x.is_float:
        return [Bounded(np.trunc(value).astype(x.value.dtype))]
    if not node.bounds:
        return [Bounded(value)]
    logarithm = np.log(np.maximum(np.abs(x.value), 1e-300))
    # By way of exp and log the exponent is off by its rounding; by multiplying there are as many as it is large.
    error = rounding(value, 8) + UNIT * np.abs(value) * (
        OTHER_FORMS * np.abs(y.value) + 4 * np.abs(y.value * logarithm)
    )
    if errors(x, y):
        corners = [
            np.power(x.value + a * error_of(x), y.value + b * error_of(y)) for a in (-1, 0, 1) for b in (-1, 0, 1)
        ]
        off = reduce(np.maximum, [np.abs(corner - value) for corner in corners])
        error = error + np.where(np.isnan(off), np.inf, off)
    return [Bounded(value, error)]


@operator("Mod")
def modulo(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The remainder, with the sign of the dividend where ``fmod`` is set, else of the divisor."""
    x, y = required(inputs), required(inputs, 1)
    value = np.fmod(x.value, y.value) if node.attribute("fmod", 0) else np.mod(x.value, y.value)
    if not node.bounds or not x.is_float:
        return [Bounded(value)]
    size = np.abs(x.value) + np.abs(y.value)
    off = rounding(size, 4) + error_of(x) + np.abs(x.value / y.value) * error_of(y)
    # Next to a multiple of the divisor the remainder jumps, where it is computed from a quotient that rounds.
    nearest = np.minimum(np.abs(value), np.abs(y.value) - np.abs(value))
    jumps = (nearest <= off) & (np.fmod(x.value, y.value) != 0)
    return [Bounded(value, np.where(jumps, np.abs(y.value) + off, off))]


@operator("CumSum")
def cumulative(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Running sums along an axis, of those before alone where ``exclusive`` is set, from the end if ``reverse``."""
    x, axis = required(inputs), int(required(inputs, 1).value.ravel()[0])

    def sums(array: np.ndarray) -> np.ndarray:
        array = np.flip(array, axis) if node.attribute("reverse", 0) else array
        made = np.cumsum(array, axis=axis, dtype=array.dtype)
        made = made - array if node.attribute("exclusive", 0) else made
        return np.flip(made, axis) if node.attribute("reverse", 0) else made

    value = sums(x.value)
    if not node.bounds or not x.is_float:
        return [Bounded(value)]
    error = gamma(x.value.shape[axis] + 1) * sums(largest_magnitude(x)) + 2e-16 * np.abs(value)
    return [Bounded(value, error if x.error is None else error + sums(x.error))]
