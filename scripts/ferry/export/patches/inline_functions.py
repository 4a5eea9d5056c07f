"""An ``autograd.Function`` of the user's is traced as what its ``forward()`` computes.

PyTorch 1.5.1's tracer records one opaque ``PythonOp`` for it, which no ONNX operator stands for. In-place Swish,
HardSigmoid and Mish are written so in every package of image models of that time, to save memory in training.
"""

from typing import Any, Tuple

import torch
from torch.autograd import Function

_apply = vars(torch._C._FunctionBase)["apply"]


class Context:
    """What a ``forward()`` keeps for the gradient, of which a trace has none."""

    saved_tensors: Tuple[torch.Tensor, ...] = ()

    def __init__(self, count: int):
        self.needs_input_grad = (False,) * count

    def save_for_backward(self, *tensors: torch.Tensor) -> None:
        """Keep ``tensors``, for a ``forward()`` that reads them itself."""
        self.saved_tensors = tensors

    def mark_dirty(self, *tensors: torch.Tensor) -> None:
        """Take note that ``forward()`` changes ``tensors`` in place: the trace sees that."""

    def mark_non_differentiable(self, *tensors: torch.Tensor) -> None:
        """Take note of outputs without a gradient."""


def install() -> None:
    """Have it so from now on. A model file may keep ``Function.apply`` under a name of its own when it is imported."""
    Function.apply = classmethod(_applied)  # type: ignore[assignment]


def _applied(function: Any, *arguments: Any) -> Any:
    if torch._C._get_tracing_state() is None:
        return _apply.__get__(None, function)(*arguments)
    with torch.no_grad():
        return function.forward(Context(len(arguments)), *arguments)
