"""Sums, means, products and extremes over some dimensions."""

from typing import List, Optional, Tuple

import numpy as np

from ferry.evaluate.bounded import UNIT, Bounded, added, gamma, largest_magnitude, rounding, spread
from ferry.evaluate.registry import Node, operator, required


def _axes(node: Node, rank: int) -> Tuple[int, ...]:
    axes = node.attribute("axes")
    return tuple(range(rank)) if axes is None else tuple(axis % rank for axis in axes)


def total(x: Bounded, axes: Tuple[int, ...], keep: bool, bounds: bool) -> Bounded:
    """The sum, of which every order may be off by as many roundings as it has terms that are not zero."""
    value = x.value.sum(axes, keepdims=keep)
    if not bounds or not x.is_float:
        return Bounded(value)
    size = largest_magnitude(x)
    terms = np.count_nonzero(size, axes).reshape(value.shape)
    error = gamma(terms + 2) * size.sum(axes, keepdims=keep)
    return Bounded(value, error if x.error is None else error + x.error.sum(axes, keepdims=keep))


def mean(x: Bounded, axes: Tuple[int, ...], keep: bool, bounds: bool) -> Bounded:
    """The sum over the number of its terms."""
    count = max(int(np.prod([x.value.shape[axis] for axis in axes], dtype=np.int64)), 1)
    made = total(x, axes, keep, bounds)
    value = made.value / count if x.is_float else made.value // count
    return Bounded(value, None if made.error is None else made.error / count + rounding(value, 3))


@operator("ReduceSum", "ReduceMean", "ReduceL1", "ReduceSumSquare", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp")
def reduce_sum(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Sums of the elements, or of a function of each, and a function of the sums."""
    x, keep = required(inputs), bool(node.attribute("keepdims", 1))
    axes, kind = _axes(node, x.value.ndim), node.operator
    if kind == "ReduceMean":
        return [mean(x, axes, keep, node.bounds)]
    if kind == "ReduceLogSumExp":
        return [_log_sum_exp(x, axes, keep, node.bounds)]
    if kind == "ReduceL1":
        x = Bounded(np.abs(x.value), x.error)
    elif kind in ("ReduceSumSquare", "ReduceL2"):
        square, size = x.value * x.value, largest_magnitude(x)
        error = None if x.error is None else 2 * size * x.error
        x = Bounded(square, added(error, rounding(square, 2)) if node.bounds and x.is_float else None)
    made = total(x, axes, keep, node.bounds)
    if kind in ("ReduceL2", "ReduceLogSum"):
        function = np.sqrt if kind == "ReduceL2" else np.log
        value = function(made.value)
        if not node.bounds:
            return [Bounded(value)]
        # No sum of squares is below zero, whatever it is off by.
        reached = made if kind == "ReduceLogSum" else Bounded(made.value, _capped(made))
        return [Bounded(value, added(spread(function, reached, value), rounding(value, 8, 1)))]
    return [made]


def _capped(made: Bounded) -> np.ndarray:
    assert made.error is not None
    return np.minimum(made.error, made.value)


def _log_sum_exp(x: Bounded, axes: Tuple[int, ...], keep: bool, bounds: bool) -> Bounded:
    highest = x.value.max(axes, keepdims=True)
    value = np.log(np.exp(x.value - highest).sum(axes, keepdims=True)) + highest
    value = value if keep else np.squeeze(value, axes)
    if not bounds:
        return Bounded(value)
    count = float(np.prod([x.value.shape[axis] for axis in axes]))
    error = rounding(value, 8, 0) + gamma(count + 16) + 4 * UNIT * np.abs(x.value).max(axes, keepdims=keep)
    return Bounded(value, error if x.error is None else error + x.error.max(axes, keepdims=keep))


@operator("ReduceMax", "ReduceMin")
def reduce_extreme(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The largest or smallest: it is off by no more than the element that is off most."""
    x, keep = required(inputs), bool(node.attribute("keepdims", 1))
    axes = _axes(node, x.value.ndim)
    value = x.value.max(axes, keepdims=keep) if node.operator == "ReduceMax" else x.value.min(axes, keepdims=keep)
    return [Bounded(value, None if x.error is None else x.error.max(axes, keepdims=keep))]


@operator("ReduceProd")
def reduce_product(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The product."""
    x, keep = required(inputs), bool(node.attribute("keepdims", 1))
    axes = _axes(node, x.value.ndim)
    value = x.value.prod(axes, keepdims=keep)
    if not node.bounds or not x.is_float:
        return [Bounded(value)]
    count = int(np.prod([x.value.shape[axis] for axis in axes], dtype=np.int64))
    error = gamma(count + 2) * np.abs(value)
    if x.error is not None:
        error = error + largest_magnitude(x).prod(axes, keepdims=keep) - np.abs(value)
    return [Bounded(value, error)]
