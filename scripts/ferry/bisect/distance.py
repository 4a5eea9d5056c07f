"""How far two tensors are apart, and how far rounding alone may put them."""

from typing import Callable, Dict, Hashable, TypeVar

import numpy as np

# The mean hides one wrong value among many; one value may be off by this many times what the mean may be.
MAXIMUM_OVER_MEAN = 25
# One operator on the same inputs differs by a few roundings of 6e-8 where it adds in another order.
SMALLEST_FAULT = 3e-6
# Ill-conditioned operators (a mean that is nearly 0) amplify those roundings. What a change of the inputs by 1e-6 does
# to the output bounds what a dozen roundings can do.
PERTURBATION = 1e-6
ROUNDINGS = 3

Key = TypeVar("Key", bound=Hashable)


def distance(made: np.ndarray, wanted: np.ndarray) -> float:
    """The mean absolute difference over the mean magnitude of ``wanted``, or 1/25 of the largest if that is more.

    Infinite where the shapes differ, or where one has NaN or infinity and the other has not.
    """
    if made.shape != wanted.shape:
        return float("inf")
    if not made.size:
        return 0.0
    a, b = made.astype(np.float64), wanted.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    finite = np.isfinite(a) & np.isfinite(b)
    if not (finite | same).all():
        return float("inf")
    differences = np.abs(a - b, where=finite, out=np.zeros_like(a))
    scale = float(np.abs(b[finite]).mean()) or float(np.abs(a[finite]).mean())
    return max(float(differences.mean()), float(differences.max()) / MAXIMUM_OVER_MEAN) / scale


def is_fault(made: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether ``made`` is further from ``wanted`` than one well-conditioned operator's rounding."""
    apart = distance(made, wanted)
    return apart > SMALLEST_FAULT or (wanted.dtype.kind not in "fc" and apart > 0)


def rounding(compute: Callable[[Dict[Key, np.ndarray]], np.ndarray], values: Dict[Key, np.ndarray]) -> float:
    """How far the output of ``compute`` may be off by rounding: three times what inputs changed by 1e-6 do to it."""
    generator = np.random.RandomState(0)
    changed = {}
    for key, array in values.items():
        if array.dtype.kind == "f":
            noise = 1 + PERTURBATION * generator.standard_normal(array.shape)
            changed[key] = np.asarray(array * noise, array.dtype)
        else:
            changed[key] = array
    return ROUNDINGS * distance(compute(changed), compute(values))
