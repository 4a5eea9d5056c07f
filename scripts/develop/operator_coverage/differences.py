"""How arrays differ from those that are expected."""

from typing import List

import numpy as np

# NumPy computed the expected outputs, most in float32; a real fault is orders of magnitude larger than its rounding.
# The other tolerance, which is absolute, is a tenth of this one, of the largest value that is expected.
RELATIVE = 1e-4


def differences(made: List[np.ndarray], expected: List[np.ndarray], relative: float = RELATIVE) -> str:
    """The first difference in number, dtype, shape or values; empty if there is none."""
    if len(made) != len(expected):
        return f"{len(made)} outputs instead of {len(expected)}"
    for array, wanted in zip(map(np.asarray, made), expected):
        if array.dtype != wanted.dtype:
            return f"{array.dtype} instead of {wanted.dtype}"
        if array.shape != wanted.shape:
            return f"shape {array.shape} instead of {wanted.shape}"
        if not np.issubdtype(wanted.dtype, np.floating):
            if not np.array_equal(array, wanted):
                return f"{int(np.sum(array != wanted))} of {wanted.size} values differ"
            continue
        finite = wanted[np.isfinite(wanted)]
        largest = float(np.abs(finite).max()) if finite.size else 0.0
        close = np.isclose(array, wanted, rtol=relative, atol=relative / 10 * largest, equal_nan=True)
        if not close.all():
            return f"{int(np.sum(~close))} of {wanted.size} values differ"
    return ""
