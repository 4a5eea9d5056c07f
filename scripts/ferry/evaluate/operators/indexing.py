"""Elements picked out or put in by index."""

from typing import Callable, List, Optional

import numpy as np

from ferry.evaluate.bounded import Bounded, errors
from ferry.evaluate.registry import Node, NotEvaluatedError, operator, required


def _uncertain(index: Bounded) -> bool:
    return index.error is not None and bool(index.error.any())


def _unknown(made: Bounded) -> Bounded:
    """``made`` where nobody can say which element it is."""
    return Bounded(made.value, np.full(made.value.shape, np.inf))


@operator("Gather")
def gather(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Whole slices along ``axis``; a negative index counts from the end."""
    x, indices, axis = required(inputs), required(inputs, 1), node.attribute("axis", 0)
    made = x.moved(lambda array: np.take(array, indices.value, axis))
    return [_unknown(made) if _uncertain(indices) else made]


@operator("GatherElements")
def gather_elements(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """An element for each index along ``axis``."""
    x, indices, axis = required(inputs), required(inputs, 1), node.attribute("axis", 0)
    size = x.value.shape[axis]
    index = np.where(indices.value < 0, indices.value + size, indices.value)
    where = [np.arange(length).reshape([-1 if at == place else 1 for at in range(index.ndim)])
             for place, length in enumerate(index.shape)]  # fmt: skip
    where[axis] = index
    made = x.moved(lambda array: array[tuple(where)])
    return [_unknown(made) if _uncertain(indices) else made]


@operator("GatherND")
def gather_nd(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """A slice for each tuple of indices, apart for each place of the first ``batch_dims`` dimensions."""
    x, indices, batch = required(inputs), required(inputs, 1), node.attribute("batch_dims", 0)

    def picked(array: np.ndarray) -> np.ndarray:
        lead = array.shape[:batch]
        rows = array.reshape(-1, *array.shape[batch:])
        index = indices.value.reshape(-1, *indices.value.shape[batch:])
        made = [row[tuple(np.moveaxis(each, -1, 0))] for row, each in zip(rows, index)]
        return np.stack(made).reshape(*lead, *made[0].shape)

    made = x.moved(picked)
    return [_unknown(made) if _uncertain(indices) else made]


@operator("Scatter", "ScatterElements")
def scatter_elements(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """``updates`` put in place of elements along ``axis``."""
    x, indices, updates = (required(inputs, position) for position in range(3))
    axis = node.attribute("axis", 0)
    index = np.where(indices.value < 0, indices.value + x.value.shape[axis], indices.value)

    def put(array: np.ndarray, new: np.ndarray) -> np.ndarray:
        made = np.array(array)
        np.put_along_axis(made[tuple(slice(0, None if at == axis else size) for at, size in enumerate(index.shape))],
                          index, new, axis)  # fmt: skip
        return made

    return [_replaced(x, indices, updates, put)]


@operator("ScatterND")
def scatter_nd(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """``updates`` put in place of slices, one for each tuple of indices."""
    x, indices, updates = (required(inputs, position) for position in range(3))
    where = tuple(np.moveaxis(indices.value, -1, 0))

    def put(array: np.ndarray, new: np.ndarray) -> np.ndarray:
        made = np.array(array)
        made[where] = new
        return made

    return [_replaced(x, indices, updates, put)]


def _replaced(
    x: Bounded, indices: Bounded, updates: Bounded, put: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Bounded:
    made = Bounded(put(x.value, updates.value))
    if _uncertain(indices):
        return _unknown(made)
    if not errors(x, updates):
        return made
    old, new = (np.zeros(each.value.shape) if each.error is None else each.error for each in (x, updates))
    return Bounded(made.value, put(old, new))


@operator("NonZero")
def non_zero(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The indices of what is not zero, a column each."""
    x = required(inputs)
    if x.error is not None and bool((np.abs(x.value) <= x.error).any()):
        raise NotEvaluatedError("NonZero of values that are no larger than their rounding")
    return [Bounded(np.array(np.nonzero(x.value), np.int64))]
