"""Load a program of ``torch.export``, which brings its example inputs along."""

from typing import Any, Dict, NamedTuple, Tuple

import torch

from ferry.errors import ModelFileError, first_line

SUFFIX = ".pt2"


class Program(torch.nn.Module):
    """``module``, called with its positional arguments as one tuple and its keyword arguments as one dictionary."""

    def __init__(self, module: torch.nn.Module):
        super().__init__()
        self.module = module
        for part in self.modules():
            part.training = False

    def train(self, mode: bool = True) -> "Program":
        """Nothing: what was exported has its mode in its operators, and its module refuses to be asked."""
        return self

    def forward(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """What the program returns."""
        return self.module(*args, **kwargs)


class Loaded(NamedTuple):
    """The module, and what it is called with."""

    module: Program
    example: Tuple[Tuple[Any, ...], Dict[str, Any]]


def load(path: str, input_shape: str) -> Loaded:
    """The program in ``path``, on the CPU.

    Raises:
        ModelFileError: this PyTorch cannot read it, or it has no example inputs.
    """
    version = torch.__version__
    if not hasattr(torch, "export"):
        raise ModelFileError(f"{path} is a program of torch.export, which PyTorch {version} cannot read: give TORCH=2")
    if input_shape:
        raise ModelFileError(f"{path} has example inputs of its own: INPUT_SHAPE is for a .pt or an .onnx")
    try:
        program = torch.export.load(path)  # type: ignore[attr-defined]
    except Exception as error:
        raise ModelFileError(
            f"{path} is damaged, or no program of torch.export that PyTorch {version} can read ({first_line(error)}): "
            "one is written by torch.export.save, and TORCH=path/to/python takes the PyTorch that wrote it"
        ) from error
    if program.example_inputs is None:
        raise ModelFileError(
            f"{path} has no example inputs: save it again, with torch.export.save of PyTorch 2.2 or newer"
        )
    args, kwargs = program.example_inputs
    return Loaded(Program(program.module()), (tuple(args), dict(kwargs)))
