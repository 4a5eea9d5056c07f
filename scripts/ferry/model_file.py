"""Load the user's model: a Python file with ``get_pytorch_model()`` and ``get_example_input()``."""

import glob
import importlib.util
import os
import random
import sys
import traceback
from functools import partial
from types import ModuleType
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

import numpy as np
import torch

from ferry.errors import ModelFileError

# A model that draws its weights at random must draw the same ones in the export and in the verification.
SEED = 0
_MODULE = "ferry_user_model"


class PytorchModel(NamedTuple):
    """A module in eval mode, the tensors it is called with, and the tensors that came of it."""

    module: torch.nn.Module
    example_inputs: Tuple[torch.Tensor, ...]
    example_outputs: List[torch.Tensor]
    was_training: bool


def load(path: str) -> PytorchModel:
    """Import the model file ``path``, build its model and run it once on its example input.

    Raises:
        ModelFileError: the file is missing, does not import, lacks a function, or one of its functions fails or
            returns something of another type; or the model's forward fails.
    """
    source = _import(path)
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)
    module = _call(path, source, "get_pytorch_model")
    if not isinstance(module, torch.nn.Module):
        raise ModelFileError(f"{path}: get_pytorch_model() must return a torch.nn.Module, and returned {_kind(module)}")
    inputs = _example_inputs(path, _call(path, source, "get_example_input"))
    was_training = any(part.training for part in module.modules())
    module.eval()
    with torch.no_grad():
        # A forward may work in place, and the example is used again.
        made = _guard(
            path,
            "the model's forward(), called on get_example_input(),",
            lambda: module(*(tensor.clone() for tensor in inputs)),
        )
    return PytorchModel(module, inputs, tensors_in(path, made), was_training)


def optional_function(path: str, name: str) -> Optional[Callable[..., Any]]:
    """The function ``name`` of the model file ``path``, which ``load`` has imported; ``None`` where it has none.

    Raises:
        ModelFileError: it is there, and is no function.
    """
    found = getattr(sys.modules.get(_MODULE), name, None)
    if found is not None and not callable(found):
        raise ModelFileError(f"{path}: {name} must be a function, and is {_kind(found)}")
    return found


def tensors_in(path: str, made: Any) -> List[torch.Tensor]:
    """The tensors that a forward returned, in order: one tensor, or a tuple or list of them, nested or not."""
    if isinstance(made, torch.Tensor):
        return [made]
    if isinstance(made, (tuple, list)) and made:
        return [tensor for part in made for tensor in tensors_in(path, part)]
    raise ModelFileError(
        f"{path}: the model's forward() must return a tensor or a tuple of tensors, and returned {_kind(made)}"
    )


def _import(path: str) -> ModuleType:
    if not os.path.isfile(path):
        folder = os.path.dirname(path) or "."
        others = sorted(os.path.basename(name) for name in glob.glob(os.path.join(glob.escape(folder), "*.py")))
        there = f"; {folder} holds {', '.join(others)}" if others else ""
        raise ModelFileError(f"there is no model file {path}{there}")
    # The model's own folder comes last: a sibling named like a library must not shadow it.
    sys.path.append(os.path.abspath(os.path.dirname(path)))
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    _guard(path, "importing the file", partial(spec.loader.exec_module, module))
    return module


def _call(path: str, source: ModuleType, function: str) -> Any:
    if not callable(getattr(source, function, None)):
        raise ModelFileError(
            f"{path} has no function {function}(); a model file defines get_pytorch_model() and get_example_input()"
        )
    return _guard(path, f"{function}()", getattr(source, function))


def _example_inputs(path: str, made: Any) -> Tuple[torch.Tensor, ...]:
    inputs = (made,) if isinstance(made, torch.Tensor) else made
    if not isinstance(inputs, (tuple, list)) or not inputs or not all(isinstance(x, torch.Tensor) for x in inputs):
        raise ModelFileError(
            f"{path}: get_example_input() must return a tensor or a tuple of tensors, and returned {_kind(made)}"
        )
    for tensor in inputs:
        if tensor.numel() == 0:
            raise ModelFileError(f"{path}: get_example_input() returned a tensor with no elements, {_kind(tensor)}")
    return tuple(tensor.detach() for tensor in inputs)


def _guard(path: str, doing: str, action: Callable[[], Any]) -> Any:
    """Run the user's code, wherever it changes to; whatever it raises becomes one sentence that names the line."""
    folder = os.getcwd()
    try:
        return action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raised = "it called exit()" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}".strip()
        raise ModelFileError(f"{path}: {doing} failed{_line_in(path, error)}: {raised}") from error
    finally:
        os.chdir(folder)


def _line_in(path: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename == path:
        return f" at line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return f" at line {lines[-1]}" if lines else ""


def _kind(thing: Any) -> str:
    if isinstance(thing, torch.Tensor):
        return f"a tensor of shape {tuple(thing.shape)}"
    return "None" if thing is None else f"an object of type {type(thing).__name__}"
