"""How far PyTorch in float32 is from PyTorch in float64: the rounding that no conversion can be better than."""

from typing import List, Optional

import numpy as np

from ferry.runtimes.pytorch_runtime import PytorchRuntime
from ferry.verification.errors_against import Errors, Reference
from ferry.verification.inputs import random_inputs

# The floor is a mean over all elements of these; more of them change it by a few percent.
SAMPLES = 8


def relative_noise(model: PytorchRuntime, examples: List[np.ndarray], samples: int) -> Optional[List[float]]:
    """The mean absolute difference of each output between float32 and float64, over the output's mean magnitude.

    ``None`` where it cannot be measured, as for a module that makes float32 tensors of its own in ``forward``.
    """
    try:
        wide = model.in_float64()
        reference = Reference(model.outputs)
        errors = Errors(reference)
        for position in range(min(samples, SAMPLES)):
            arrays = random_inputs(position, examples)
            exact = wide.run(arrays)
            reference.add(exact)
            errors.add(model.run(arrays), exact)
    except Exception:  # Whatever the user's module raises when it is asked for float64.
        return None
    return errors.relative() if reference.finite and errors.finite else None
