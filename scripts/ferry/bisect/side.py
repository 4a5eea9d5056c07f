"""What the walk needs of a model: the tensors it shares with the model it was built from, and to run a piece of it."""

from typing import Callable, Dict, Iterable, List, NamedTuple, Sequence, Set

import numpy as np

Values = Dict[str, np.ndarray]


class Point(NamedTuple):
    """A tensor that two models share: ``name`` is its ONNX name, ``where`` what it is called in this model."""

    name: str
    where: str


class Reference:
    """The model that another was built from."""

    def values(self, names: Iterable[str], inputs: Values) -> Values:
        """The tensors ``names``, in ONNX's layout, when the model is given ``inputs`` by name."""
        raise NotImplementedError


class Side:
    """The model under suspicion.

    ``inputs`` and ``points`` are the tensors that can be told apart in it; ``points`` are in topological order.
    ``certain`` is false where a point may hold something else than its name says.
    """

    inputs: List[Point]
    points: List[Point]
    certain = True

    def sources(self, point: Point, known: Set[Point]) -> List[Point]:
        """The nearest of the ``known`` tensors that ``point`` is computed from, itself excluded."""
        raise NotImplementedError

    def compute(self, point: Point, values: Dict[Point, np.ndarray]) -> np.ndarray:
        """``point`` in ONNX's layout, computed from ``values``, which hold its sources in ONNX's layout."""
        raise NotImplementedError

    def opened(self, point: Point, sources: Sequence[Point]) -> Callable[[Dict[Point, np.ndarray]], np.ndarray]:
        """``compute`` of a ``point`` from ``sources``, for many runs: what can be made ready once is."""
        return lambda values: self.compute(point, values)

    def described(self, point: Point) -> str:
        """What this model calls the operator that makes ``point``, for a message."""
        raise NotImplementedError
