"""The places of the largest or smallest elements."""

from typing import List, Optional

import numpy as np

from ferry.evaluate.bounded import Bounded
from ferry.evaluate.registry import Node, operator, required


@operator("ArgMax", "ArgMin")
def argument(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The index of the largest or smallest along ``axis``: of equal ones the first, or the last."""
    x, axis = required(inputs), node.attribute("axis", 0)
    size = x.value.shape[axis]
    signed = x.value if node.operator == "ArgMax" else -x.value
    last = bool(node.attribute("select_last_index", 0))
    index = size - 1 - np.flip(signed, axis).argmax(axis) if last else signed.argmax(axis)
    found = np.expand_dims(index, axis)
    error = None
    if x.error is not None:
        best = np.take_along_axis(signed - x.error, found, axis)
        # It may be any other that its bound takes above the lowest that the best may be.
        rivals = (signed + x.error >= best).sum(axis, keepdims=True) > 1
        error = np.where(rivals, np.inf, 0.0)
    made = Bounded(found.astype(np.int64), error)
    return [made if node.attribute("keepdims", 1) else made.moved(lambda array: np.squeeze(array, axis))]


@operator("TopK")
def top_k(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The ``k`` largest or smallest along ``axis`` in their order, and where they were; of equal ones the first."""
    x, axis = required(inputs), node.attribute("axis", -1)
    count = node.attribute("k") if node.opset < 10 else int(required(inputs, 1).value.ravel()[0])
    signed = -x.value if node.attribute("largest", 1) else x.value
    order = np.argsort(signed, axis, kind="stable")
    index = np.take(order, range(count), axis)
    value = np.take_along_axis(x.value, index, axis)
    if x.error is None:
        return [Bounded(value), Bounded(index.astype(np.int64))]
    # A sorted list is off by no more than the element of it that is off most.
    error = np.broadcast_to(x.error.max(axis, keepdims=True), value.shape)
    return [Bounded(value, np.array(error)), Bounded(index.astype(np.int64), np.where(error > 0, np.inf, 0.0))]
