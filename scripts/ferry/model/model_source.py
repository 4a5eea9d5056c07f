"""What a user gives as the model."""

from typing import NamedTuple


class ModelSource(NamedTuple):
    """A ``.py``, TorchScript ``.pt`` or ``.onnx`` file; a checkpoint for the first; input shapes for the others.

    ``torch`` is the interpreter whose PyTorch runs the model, where that is not the pinned one.
    """

    path: str
    weights: str = ""
    input_shape: str = ""
    torch: str = ""

    @property
    def needs_other_torch(self) -> bool:
        """Whether another PyTorch than the pinned one runs it; an ``.onnx`` file is run by none."""
        return bool(self.torch) and not self.path.endswith(".onnx")
