"""A tensor in float64 with the bound of what float32 can be off by there, and the roundings that bounds come from."""

from typing import Callable, NamedTuple, Optional, Union

import numpy as np

# One rounding of float32, to nearest.
UNIT = 2.0**-24
# Below it some kernels flush to zero.
TINY = 2.0**-126
LARGEST = float(np.finfo(np.float32).max)
# A conversion may fold a factor into weights, divide by multiplying with the reciprocal, or add a bias apart. Each is a
# rounding that the operator as written does not have.
OTHER_FORMS = 4


class Bounded(NamedTuple):
    """``value``, and by how much float32 may be off from it: an array of its shape, or ``None`` where it is exact.

    Floats are float64. An integer or a boolean that hangs on a rounding has a bound too: the size of its jump.
    """

    value: np.ndarray
    error: Optional[np.ndarray] = None

    @property
    def is_float(self) -> bool:
        """Whether it can round at all."""
        return bool(self.value.dtype.kind == "f")

    def moved(self, move: Callable[[np.ndarray], np.ndarray]) -> "Bounded":
        """What ``move``, which computes nothing, makes of it."""
        return Bounded(move(self.value), None if self.error is None else move(self.error))


def gamma(roundings: Union[float, np.ndarray]) -> np.ndarray:
    """The bound, over the sum of the terms' magnitudes, of what so many roundings after one another can do."""
    product = np.minimum(np.asarray(roundings, np.float64) * UNIT, 0.5)
    return product / (1 - product)


def rounding(value: np.ndarray, roundings: float, absolute: float = 0.0) -> np.ndarray:
    """The bound of so many roundings of ``value`` itself, and of ``absolute`` as many units beside it."""
    size = np.asarray(np.abs(value))
    size = np.where(np.isfinite(size), size, 0.0)
    size *= roundings * UNIT
    size += absolute * UNIT + TINY
    return size


def errors(*tensors: Bounded) -> bool:
    """Whether any of them is not exact."""
    return any(tensor.error is not None for tensor in tensors)


def error_of(tensor: Bounded) -> Union[np.ndarray, float]:
    """Its bound, 0 where it is exact."""
    return 0.0 if tensor.error is None else tensor.error


def largest_magnitude(tensor: Bounded) -> np.ndarray:
    """The largest magnitude it may have in float32."""
    size = np.abs(tensor.value)
    return size if tensor.error is None else size + tensor.error


def spread(function: Callable[[np.ndarray], np.ndarray], x: Bounded, value: np.ndarray) -> Optional[np.ndarray]:
    """How far a function that rises or falls throughout may be from ``value`` where ``x`` is off by its bound."""
    if x.error is None:
        return None
    with np.errstate(all="ignore"):
        above, below = function(x.value + x.error), function(x.value - x.error)
        found = np.maximum(
            np.abs(np.subtract(above, value, dtype=np.float64)), np.abs(value - below.astype(np.float64))
        )
    # Outside of the function's domain nothing is known.
    return np.where(np.isnan(found), np.inf, found)


def added(first: Optional[np.ndarray], second: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """The sum of two bounds, of which either may be none."""
    if first is None or second is None:
        return second if first is None else first
    return first + second
