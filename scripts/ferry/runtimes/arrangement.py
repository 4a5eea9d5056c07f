"""How another converter's file arranges the model's inputs and outputs: their order, their layout, their dtype."""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from ferry.runtimes import Runtime, TensorSpec

# The layouts by the names that IO= has, in the order in which they are tried.
LAYOUTS = ("nchw", "nhwc", "nchw-no-batch", "nhwc-no-batch")
_NO_BATCH = "-no-batch"
# An index that fits into the narrower of two is the same in both.
_SAME_KIND = ({"int32", "int64"},)


class Place(NamedTuple):
    """Where the file has one of PyTorch's tensors: at ``position`` of its own, in ``layout``, one of ``LAYOUTS``."""

    position: int
    layout: str


class Arrangement(NamedTuple):
    """A place for each of PyTorch's inputs and outputs, in their order."""

    inputs: Tuple[Place, ...]
    outputs: Tuple[Place, ...]


def layouts(reference: TensorSpec, found: TensorSpec) -> List[str]:
    """The layouts in which ``found`` can be ``reference``; those that come to the same are named once."""
    kinds = {str(reference.dtype), str(found.dtype)}
    if len(kinds) > 1 and kinds not in _SAME_KIND:
        return []
    fitting: List[str] = []
    orders = set()
    for layout in LAYOUTS:
        order = _order(layout, reference.shape)
        if order is None or tuple(reference.shape[axis] for axis in order) != tuple(found.shape):
            continue
        # Where an axis of 1 alone has another place, the values lie in the same order.
        essence = tuple(axis for axis in order if reference.shape[axis] != 1)
        if essence not in orders:
            orders.add(essence)
            fitting.append(layout)
    return fitting


def to_theirs(array: np.ndarray, layout: str, dtype: Any) -> np.ndarray:
    """PyTorch's ``array`` as the file has it."""
    order = _order(layout, array.shape)
    assert order is not None
    moved = array[0].transpose([axis - 1 for axis in order]) if _drops(layout) else array.transpose(order)
    return np.ascontiguousarray(moved, dtype)


def to_ours(array: np.ndarray, layout: str, shape: Sequence[int], dtype: Any) -> np.ndarray:
    """The file's ``array`` as PyTorch has it, with PyTorch's ``shape``."""
    order = _order(layout, shape)
    assert order is not None
    whole = [0, *order] if _drops(layout) else list(order)
    given = array[np.newaxis] if _drops(layout) else array
    return np.ascontiguousarray(given.transpose(np.argsort(whole)), dtype)


def _drops(layout: str) -> bool:
    return layout.endswith(_NO_BATCH)


def _order(layout: str, shape: Sequence[int]) -> Any:
    """The axes of PyTorch's tensor in the order in which the file has them; ``None`` where the layout means nothing."""
    axes = list(range(len(shape)))
    if layout.startswith("nhwc"):
        if len(shape) < 3:
            return None
        axes = [0, *axes[2:], 1]
    if _drops(layout):
        if not shape or shape[0] != 1:
            return None
        axes = axes[1:]
    return axes


class ArrangedRuntime(Runtime):
    """``inner``, another converter's file, for callers who know the tensors as PyTorch has them."""

    def __init__(self, inner: Runtime, arranged: Arrangement, inputs: List[TensorSpec], outputs: List[TensorSpec]):
        self._inner, self._arranged = inner, arranged
        self.inputs, self.outputs = inputs, outputs

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        given: Dict[int, np.ndarray] = {}
        for array, place in zip(arrays, self._arranged.inputs):
            given[place.position] = to_theirs(array, place.layout, self._inner.inputs[place.position].dtype)
        made = self._inner.run([given[position] for position in range(len(self._inner.inputs))])
        return [
            to_ours(made[place.position], place.layout, spec.shape, spec.dtype)
            for spec, place in zip(self.outputs, self._arranged.outputs)
        ]

    def details(self) -> Dict[str, Any]:
        return self._inner.details()
