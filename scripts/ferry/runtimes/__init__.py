"""One model, four runtimes, each behind the same three members.

A runtime opens its model once and keeps it open: onnx-tf's own ``run()`` opens and initialises a session on every
call, which made 1,000 inputs take an hour. Each runs on one thread; ONNX Runtime's spinning workers starve the others
when they are given more.
"""

import os
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

# ONNX Runtime 1.4 is built with OpenMP, which heeds this alone, and as it is when the library is loaded. Its threads
# wait spinning: with one for each processor they take from other programs what those have processors for.
os.environ["OMP_NUM_THREADS"] = "1"


# The packages that a runtime's own errors come from.
LIBRARIES = ("onnxruntime", "tensorflow", "torch")


class TensorSpec(NamedTuple):
    """The name, shape (``-1`` where it is not static) and dtype of one input or output."""

    name: str
    shape: Tuple[int, ...]
    dtype: np.dtype


class Runtime:
    """A model loaded and ready: ``run`` takes and gives arrays in the order of ``inputs`` and ``outputs``."""

    inputs: List[TensorSpec]
    outputs: List[TensorSpec]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        """Run one inference."""
        raise NotImplementedError

    def details(self) -> Dict[str, Any]:
        """What a report tells of this runtime's file beside its figures."""
        return {}
