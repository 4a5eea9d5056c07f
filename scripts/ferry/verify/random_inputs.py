"""Seeded random inputs: the same on every machine, each one a function of the seed and its position alone."""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from ferry.errors import VerificationError
from ferry.verify.integer_span import IndexRange

SEED = 20200923


class Distribution(NamedTuple):
    """What floats are drawn from: ``normal`` with a mean and a deviation, or ``uniform`` from low to high."""

    kind: str
    first: float
    second: float

    def __str__(self) -> str:
        if self.kind == "normal":
            return f"N({self.first:g}, {self.second:g})"
        return f"uniform in {self.first:g} to {self.second:g}"


# What normalised images look like.
STANDARD_NORMAL = Distribution("normal", 0.0, 1.0)
_DEFAULTS = {"normal": STANDARD_NORMAL, "uniform": Distribution("uniform", 0.0, 1.0)}


def parse(text: str) -> Distribution:
    """``normal``, ``normal:MEAN:DEVIATION``, ``uniform`` or ``uniform:LOW:HIGH``.

    Raises:
        VerificationError: it is none of these, or no number can be drawn from it.
    """
    kind, *numbers = text.split(":")
    try:
        if kind in _DEFAULTS and not numbers:
            return _DEFAULTS[kind]
        first, second = (float(number) for number in numbers)
        made = Distribution(kind, first, second)
        if kind in _DEFAULTS and np.isfinite([first, second]).all() and second > (0 if kind == "normal" else first):
            return made
    except ValueError:
        pass
    raise VerificationError(
        f"INPUTS={text} is no distribution: it is normal:MEAN:DEVIATION or uniform:LOW:HIGH, as in uniform:0:1"
    )


def is_distribution(text: str) -> bool:
    """Whether ``text`` means a distribution, rightly written or not, and not a file."""
    return text.split(":")[0] in _DEFAULTS


def draw(
    position: int,
    examples: List[np.ndarray],
    distribution: Distribution,
    seed: int = SEED,
    ranges: Sequence[Optional[IndexRange]] = (),
) -> List[np.ndarray]:
    """The inputs of sample ``position``, of the shapes and dtypes of ``examples``.

    An input that has one of the ``ranges`` is drawn from that, uniformly. Of the others floats are drawn from
    ``distribution``; integers uniformly from the range that the example spans; booleans by a coin's toss. Where there
    is any of the ``ranges``, sample 0 is the example itself.

    Raises:
        VerificationError: an example is of another dtype.
    """
    if position == 0 and any(ranges):
        return [np.array(example) for example in examples]
    generator = np.random.Generator(np.random.PCG64([seed, position]))
    each = list(ranges) or [None] * len(examples)
    return [
        _draw(generator, example, distribution) if span is None else _index(generator, example, span)
        for example, span in zip(examples, each)
    ]


def describe(name: str, example: np.ndarray, distribution: Distribution, span: Optional[IndexRange] = None) -> str:
    """What the input ``name`` is drawn from, in words."""
    if span is not None:
        return f"{name} from {span.lowest} to {span.highest}, the rows of the table that it reads"
    if example.dtype.kind in "iu":
        return f"{name} from {int(example.min())} to {int(example.max())}"
    return f"{name} true or false" if example.dtype.kind == "b" else f"{name} {distribution}"


def _index(generator: np.random.Generator, example: np.ndarray, span: IndexRange) -> np.ndarray:
    return generator.integers(span.lowest, span.highest, example.shape, endpoint=True).astype(example.dtype)


def _draw(generator: np.random.Generator, example: np.ndarray, distribution: Distribution) -> np.ndarray:
    if example.dtype.kind == "f":
        if distribution.kind == "normal":
            values = generator.standard_normal(example.shape, np.float32) * np.float32(distribution.second)
            return (values + np.float32(distribution.first)).astype(example.dtype)
        width = np.float32(distribution.second - distribution.first)
        return (generator.random(example.shape, np.float32) * width + np.float32(distribution.first)).astype(
            example.dtype
        )
    if example.dtype.kind in "iu":
        lowest, highest = int(example.min()), int(example.max())
        return generator.integers(lowest, highest, example.shape, example.dtype, endpoint=True)
    if example.dtype.kind == "b":
        return generator.integers(0, 2, example.shape).astype(bool)
    raise VerificationError(f"no random inputs of dtype {example.dtype} can be drawn")
