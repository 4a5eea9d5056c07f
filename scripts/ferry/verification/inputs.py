"""Seeded random inputs: the same on every machine, each one a function of the seed and its position alone."""

from typing import List

import numpy as np

from ferry.errors import VerificationError

SEED = 20200923


def random_inputs(position: int, examples: List[np.ndarray], seed: int = SEED) -> List[np.ndarray]:
    """The inputs of sample ``position``, of the shapes and dtypes of ``examples``.

    Floats are drawn from N(0, 1), which is what normalised images look like; integers uniformly from the range that
    the example spans, so that tokens stay in the vocabulary; booleans by a coin's toss.
    """
    generator = np.random.RandomState([seed, position])
    return [_draw(generator, example) for example in examples]


def _draw(generator: np.random.RandomState, example: np.ndarray) -> np.ndarray:
    if example.dtype.kind == "f":
        return generator.standard_normal(example.shape).astype(example.dtype)
    if example.dtype.kind in "iu":
        lowest, highest = int(example.min()), int(example.max())
        return generator.randint(lowest, highest + 1, example.shape).astype(example.dtype)
    if example.dtype.kind == "b":
        return generator.randint(0, 2, example.shape).astype(bool)
    raise VerificationError(f"no random inputs of dtype {example.dtype} can be drawn")
