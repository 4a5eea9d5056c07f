"""Whether a trace in float64 computes what the module itself does in float32."""

import numpy as np

# Shares of an output's scale: what float32 is off by is below them, and another branch of Python is above.
MOST_IN_THE_MEAN, MOST_AT_WORST = 1e-4, 1e-2


def believed(traced: np.ndarray, module: np.ndarray) -> np.ndarray:
    """The outputs of the trace, [samples, *shape]; where a sample differs from the ``module``'s, that instead.

    A stage that is built from the trace is then off by all that the trace is.
    """
    if not traced.size:
        return traced
    count = len(traced)
    apart = np.abs(np.subtract(traced, module, dtype=np.float64)).reshape(count, -1)
    scale = np.abs(module.astype(np.float64)).reshape(count, -1).mean(axis=1)
    if traced.dtype.kind != "f":
        scale = np.zeros(count)
    same = (apart.mean(axis=1) <= MOST_IN_THE_MEAN * scale) & (apart.max(axis=1) <= MOST_AT_WORST * scale)
    made = np.array(traced)
    made[~same] = module[~same]
    return made
