"""Comparisons, logic, and the choice between two values."""

from typing import Callable, Dict, List, Optional

import numpy as np

from ferry.evaluate.bounded import Bounded, error_of, errors
from ferry.evaluate.registry import Node, operator, required

COMPARISONS: Dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
}
LOGIC: Dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
}


@operator(*COMPARISONS)
def compare(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A comparison; it may come out either way where the two are nearer than their bounds."""
    first, second = required(inputs), required(inputs, 1)
    value = COMPARISONS[node.operator](first.value, second.value)
    if not errors(first, second):
        return [Bounded(value)]
    # Not "<=": an unknown distance is near.
    near = ~(np.abs(first.value - second.value) > error_of(first) + error_of(second))
    return [Bounded(value, near.astype(np.float64))]


@operator(*LOGIC)
def logic(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Two truth values."""
    first, second = required(inputs), required(inputs, 1)
    value = LOGIC[node.operator](first.value, second.value)
    if not errors(first, second):
        return [Bounded(value)]
    error = np.maximum(error_of(first), error_of(second))
    return [Bounded(value, np.array(np.broadcast_to(error, value.shape)))]


@operator("Not")
def negation(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The other truth value."""
    x = required(inputs)
    return [Bounded(np.logical_not(x.value), x.error)]


@operator("Where")
def where(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """One or the other; where the condition hangs on a rounding, it may be off by their distance."""
    condition, first, second = (required(inputs, position) for position in range(3))
    value = np.where(condition.value, first.value, second.value)
    if not errors(condition, first, second):
        return [Bounded(value)]
    error = np.where(condition.value, error_of(first), error_of(second))
    if condition.error is not None:
        apart = np.abs(np.subtract(first.value, second.value, dtype=np.float64))
        either = apart + error_of(first) + error_of(second)
        error = np.where(condition.error > 0, either, error)
    return [Bounded(value, np.array(np.broadcast_to(error, value.shape)))]
