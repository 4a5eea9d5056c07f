"""Is what a runtime computes within the bound of what float32 can be off by?"""

from typing import NamedTuple

import numpy as np

from ferry.evaluate.bounded import Bounded


class Comparison(NamedTuple):
    """One tensor held against its value in float64.

    ``excess`` is the largest error over its bound where one is beyond it, and else 0: the piece is right. ``share`` is
    the largest error over the tensor's mean magnitude, ``mean_share`` the mean error over that, and ``resolution`` the
    mean bound: what could not be seen.
    """

    excess: float
    share: float
    resolution: float
    mean_share: float = 0.0

    @property
    def wrong(self) -> bool:
        """Whether no order of its sums explains it."""
        return self.excess > 1


NOTHING_SEEN = Comparison(0.0, 0.0, float("inf"))


def compare(made: np.ndarray, expected: Bounded, infinities: bool = False) -> Comparison:
    """``made``, of any float dtype, against ``expected``; where that has no finite bound nothing is said.

    ``infinities`` says whether an infinite value must be met too.
    """
    value, error = expected
    if made.shape != value.shape:
        return Comparison(float("inf"), float("inf"), 0.0)
    if not value.size:
        return Comparison(0.0, 0.0, 0.0)
    wide = value.astype(np.float64, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(made - wide)
    limit = np.zeros(value.shape) if error is None else np.broadcast_to(error, value.shape)
    size = float(np.abs(wide).mean())
    if not np.isfinite(off).all() or not np.isfinite(limit).all() or not np.isfinite(size):
        judged = np.isfinite(limit) & (np.isfinite(wide) | (infinities & np.isinf(wide)))
        if not judged.any():
            return NOTHING_SEEN
        off, limit, sizes = off[judged], limit[judged], np.abs(wide[judged])
        off[made[judged] == value[judged]] = 0.0
        off[np.isnan(off)] = np.inf
        finite = np.isfinite(sizes)
        size = float(sizes[finite].mean()) if finite.any() else 0.0
    worst = float(off.max())
    if (off <= limit).all():
        excess = 0.0
    else:
        # What does not round at all, an integer or a moved element, may differ by nothing.
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = float(np.where(off > limit, off / limit, 0.0).max())
    return Comparison(excess, _over(worst, size), _over(float(limit.mean()), size), _over(float(off.mean()), size))


def _over(value: float, scale: float) -> float:
    if value == 0:
        return 0.0
    return value / scale if scale else float("inf")
