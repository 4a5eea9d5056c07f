"""Which of the samples PyTorch runs in float64 too: a share of them that is drawn at random, once and for all."""

from typing import Optional, Set

import numpy as np

# As many as the noise floor takes: with them a figure that varies by a half from sample to sample is known to 5 %.
SAMPLES = 128
SEED = 20201012


def positions(count: int, wanted: Optional[int]) -> Set[int]:
    """The samples of ``count``, ``wanted`` of them; all where that is ``None``.

    The first is always among them: kept references are told to be this model's by it.
    """
    if wanted is None or wanted >= count:
        return set(range(count))
    others = np.random.Generator(np.random.PCG64(SEED)).permutation(count - 1)[: wanted - 1] + 1
    return {0, *(int(each) for each in others)}
