"""What a user gives as the model."""

from typing import NamedTuple


class ModelSource(NamedTuple):
    """A ``.py``, TorchScript ``.pt`` or ``.onnx`` file; a checkpoint for the first; input shapes for the others."""

    path: str
    weights: str = ""
    input_shape: str = ""
