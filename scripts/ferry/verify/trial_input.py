"""The input that a bisection is made with: the one on which verify found the stage worst, or a random one."""

import os
import zipfile
from typing import List, NamedTuple

import numpy as np

from ferry.verify import random_inputs


class TrialInput(NamedTuple):
    """One array an input of the model, and where they are from."""

    arrays: List[np.ndarray]
    source: str


def trial_input(build: str, stage: str, examples: List[np.ndarray]) -> TrialInput:
    """The input kept in ``build`` for ``stage`` if it fits ``examples``, or the first that verify draws."""
    path = os.path.join(build, f"worst_input_{stage}.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name][0] for name in file.files]
    except (OSError, ValueError, IndexError, zipfile.BadZipFile):
        arrays = []
    if [(each.shape, each.dtype) for each in arrays] == [(each.shape, each.dtype) for each in examples]:
        return TrialInput(arrays, path)
    drawn = random_inputs.draw(0, examples, random_inputs.STANDARD_NORMAL)
    return TrialInput(drawn, "the first random input")
