"""A tensor that ONNX has and another model may hold with its channels last."""

from typing import NamedTuple

import numpy as np

from ferry.lowering.tensors import to_first, to_last


class Place(NamedTuple):
    """Where a tensor is in another model: its name there, and whether its channels are the last dimension."""

    tensor: str
    last: bool

    def from_onnx(self, array: np.ndarray) -> np.ndarray:
        """``array``, in ONNX's layout, as it lies there."""
        return array.transpose(to_last(array.ndim)) if self.last else array

    def to_onnx(self, array: np.ndarray) -> np.ndarray:
        """``array``, as it lies there, in ONNX's layout. One of another rank than ONNX's is returned as it is."""
        return array.transpose(to_first(array.ndim)) if self.last and array.ndim > 1 else array
