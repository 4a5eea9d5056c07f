"""Where a sample's inputs come from, in a form that any process can be handed: a seed, or arrays on the disk."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ferry.verify import random_inputs
from ferry.verify.integer_span import IndexRange
from ferry.verify.random_inputs import Distribution


class InputSource:
    """``count`` samples, of which each has one array an input of the model."""

    count: int
    # What the inputs are, for a reader, and for the key under which references are kept.
    description: Dict[str, Any]
    # Of each integer input that was drawn at random its name, the lowest, the highest, whether a table says so.
    integers: Sequence[Tuple[str, int, int, bool]] = ()

    def sample(self, position: int) -> List[np.ndarray]:
        """The inputs of one sample, contiguous and writable."""
        raise NotImplementedError


class RandomInputs(InputSource):
    """Seeded draws of the shapes and dtypes of ``examples``; ``ranges`` are those that indices are drawn from."""

    def __init__(
        self,
        names: List[str],
        examples: List[np.ndarray],
        distribution: Distribution,
        count: int,
        ranges: Sequence[Optional[IndexRange]] = (),
    ):
        self.count = count
        self._examples, self._distribution, self._ranges = examples, distribution, list(ranges)
        spans = self._ranges or [None] * len(examples)
        drawn = [
            random_inputs.describe(name, example, distribution, span)
            for name, example, span in zip(names, examples, spans)
        ]
        self.integers = [
            (name, int(example.min()), int(example.max()), False) if span is None else (name, *span, True)
            for name, example, span in zip(names, examples, spans)
            if span is not None or example.dtype.kind in "iu"
        ]
        first = "; the first is the example input" if any(self._ranges) else ""
        self.description = {
            "kind": "random",
            "text": f"drawn at random: {', '.join(drawn)}; seed {random_inputs.SEED}{first}",
            "path": None,
            "sha256": None,
            "seed": random_inputs.SEED,
        }
        self.sample(0)

    def sample(self, position: int) -> List[np.ndarray]:
        return random_inputs.draw(position, self._examples, self._distribution, ranges=self._ranges)


class StoredArray(NamedTuple):
    """An ``.npy`` file, [samples, *shape] once reshaped, and what the model is to be given of it."""

    path: str
    shape: tuple
    dtype: np.dtype


class StoredInputs(InputSource):
    """Samples that lie in ``.npy`` files, one file an input. They are mapped, and read as they are asked for."""

    def __init__(self, arrays: List[StoredArray], count: int, description: Dict[str, Any]):
        self._arrays, self.count, self.description = arrays, count, description
        self._mapped: List[np.ndarray] = []

    def sample(self, position: int) -> List[np.ndarray]:
        if not self._mapped:
            self._mapped = [np.load(array.path, mmap_mode="r", allow_pickle=False) for array in self._arrays]
        return [
            np.array(mapped[position], dtype=array.dtype, order="C").reshape(array.shape)
            for mapped, array in zip(self._mapped, self._arrays)
        ]

    def as_json(self) -> Dict[str, Any]:
        """What ``from_json`` makes the same of, in another interpreter."""
        arrays = [{"path": each.path, "shape": list(each.shape), "dtype": each.dtype.str} for each in self._arrays]
        return {"arrays": arrays, "count": self.count, "description": self.description}

    @classmethod
    def from_json(cls, held: Dict[str, Any]) -> "StoredInputs":
        """The inputs of which ``held`` is ``as_json()``."""
        arrays = [StoredArray(each["path"], tuple(each["shape"]), np.dtype(each["dtype"])) for each in held["arrays"]]
        return cls(arrays, held["count"], held["description"])

    def __getstate__(self) -> Dict[str, Any]:
        # A mapping is one process's own.
        return {**self.__dict__, "_mapped": []}
