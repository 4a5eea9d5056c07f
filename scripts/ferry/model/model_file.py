"""Load the user's model: a Python file with ``get_pytorch_model()`` and ``get_example_input()``, or TorchScript."""

import random
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import torch

from ferry.errors import ModelFileError
from ferry.graph import tensor_names
from ferry.model import exported_program, nested_tensors, state_dict, torchscript_file, user_code
from ferry.model.flat_forward import FlatForward

# A model that draws its weights at random must draw the same ones in the export and in the verification.
SEED = 0
TORCHSCRIPT = ".pt"
# TFLite counts a tensor's bytes in 32 bits, and protobuf a file's.
LARGEST_INPUT_BYTES = LARGEST_WEIGHTS_BYTES = 2**31 - 1
# They spread a module over devices, and compute what it computes.
PARALLEL = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)


class PytorchModel(NamedTuple):
    """A module in eval mode, the tensors it is called with, and the tensors that came of it, each with its name.

    ``module`` takes the inputs as positional arguments and returns a tensor, or a tuple or list of tensors.
    ``renamed`` says of each name that could not stay as the user gave it what became of it, ``dropped`` of each output
    that is no tensor.
    """

    module: torch.nn.Module
    example_inputs: Tuple[torch.Tensor, ...]
    example_outputs: List[torch.Tensor]
    was_training: bool
    input_names: List[str]
    output_names: List[str]
    renamed: List[str]
    dropped: List[str]


def load(path: str, weights: str = "", input_shape: str = "") -> PytorchModel:
    """Import the model file ``path``, build its model and run it once on its example input.

    Args:
        path: a Python file; a TorchScript file, whose name ends in ``.pt``; or a program of ``torch.export``, ``.pt2``.
        weights: a checkpoint to load into the module that a Python file builds, or an empty string.
        input_shape: the shapes of a TorchScript model's inputs, as ``torchscript_file.example_inputs`` reads them.

    Raises:
        ModelFileError: the file is missing, does not import, lacks a function, or one of its functions fails or
            returns something of another type; or the model's forward fails.
        InputFileError: the checkpoint cannot be read, or does not fit.
    """
    source = None
    if path.endswith(TORCHSCRIPT):
        module: Any = torchscript_file.load(path)
        example: Any = tuple(torchscript_file.example_inputs(path, input_shape))
    elif path.endswith(exported_program.SUFFIX):
        module, example = exported_program.load(path, input_shape)
    else:
        _seed()
        source = user_code.import_file(path)
        _seed()
        module = user_code.call(path, source, "get_pytorch_model")
        if not isinstance(module, torch.nn.Module):
            raise ModelFileError(
                f"{path}: get_pytorch_model() must return a torch.nn.Module, and returned {nested_tensors.kind(module)}"
            )
        while isinstance(module, PARALLEL):
            module = module.module
        if weights:
            state_dict.load_into(module, weights)
        example = user_code.call(path, source, "get_example_input")
    _refuse_what_no_file_holds(path, module)
    inputs = _inputs(path, example)
    was_training = any(part.training for part in module.modules())
    module.eval()
    flat = FlatForward(module, example)
    with torch.no_grad():
        # A forward may work in place, and the example is used again.
        made = user_code.guard(
            path,
            "the model's forward(), called on get_example_input(),",
            lambda: flat.call([leaf.tensor.clone() for leaf in inputs]),
        )
    dropped: List[str] = []
    outputs = _outputs(path, made, dropped)
    as_it_is = isinstance(example, (torch.Tensor, tuple, list)) and all(map(nested_tensors.is_flat, (example, made)))
    named = _named(path, source, inputs, outputs, module if as_it_is else flat, was_training)
    return named._replace(dropped=[f"{name} is left out: it is a cache, and no tensor" for name in dropped])


def optional_function(path: str, name: str) -> Optional[Callable[..., Any]]:
    """The function ``name`` of the model file ``path``, which ``load`` has imported; ``None`` where it has none.

    Raises:
        ModelFileError: it is there, and is no function.
    """
    found = getattr(sys.modules.get(user_code.MODULE), name, None)
    if found is not None and not callable(found):
        raise ModelFileError(f"{path}: {name} must be a function, and is {nested_tensors.kind(found)}")
    return found


def tensors_in(path: str, made: Any) -> List[torch.Tensor]:
    """The tensors that a forward returned, in order: one tensor, or those in a structure of them."""
    return [leaf.tensor for leaf in _outputs(path, made)]


def _refuse_what_no_file_holds(path: str, module: torch.nn.Module) -> None:
    size = sum(tensor.numel() * tensor.element_size() for tensor in [*module.parameters(), *module.buffers()])
    if size > LARGEST_WEIGHTS_BYTES:
        raise ModelFileError(f"{path}: the model's weights take {size / 1e9:.1f} GB: ONNX and TFLite hold 2 GB at most")
    for name, part in module.named_modules():
        if type(part).__module__.startswith("torch.nn.quantized"):
            raise ModelFileError(
                f"{path}: {name or 'the model'} is quantized ({type(part).__name__}): Ferry converts models in "
                "floating point; return the model as it was before its quantization"
            )


def _seed() -> None:
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)


def _inputs(path: str, example: Any) -> List[nested_tensors.Leaf]:
    try:
        found = nested_tensors.leaves(example, constants_allowed=True)
    except nested_tensors.NotTensors as error:
        raise ModelFileError(_must(path, "get_example_input()", str(error))) from error
    if not found:
        raise ModelFileError(_must(path, "get_example_input()", f"{nested_tensors.kind(example)} that holds none"))
    for leaf in found:
        if leaf.tensor.numel() == 0:
            raise ModelFileError(
                f"{path}: get_example_input() returned a tensor with no elements, {nested_tensors.kind(leaf.tensor)}"
            )
        size = leaf.tensor.numel() * leaf.tensor.element_size()
        if size > LARGEST_INPUT_BYTES:
            raise ModelFileError(
                f"{path}: get_example_input() returned {nested_tensors.kind(leaf.tensor)}, of {size / 1e9:.1f} GB: "
                "TFLite takes 2 GB at most"
            )
    return [leaf._replace(tensor=leaf.tensor.detach()) for leaf in found]


def _outputs(path: str, made: Any, dropped: Optional[List[str]] = None) -> List[nested_tensors.Leaf]:
    try:
        found = nested_tensors.leaves(made, dropped=dropped)
    except nested_tensors.NotTensors as error:
        raise ModelFileError(_must(path, "the model's forward()", str(error))) from error
    if not found:
        raise ModelFileError(_must(path, "the model's forward()", f"{nested_tensors.kind(made)} that holds none"))
    for leaf in found:
        if leaf.tensor.numel() == 0:
            raise ModelFileError(
                f"{path}: the model's forward() returned a tensor with no elements, {nested_tensors.kind(leaf.tensor)}"
            )
    return found


def _must(path: str, function: str, returned: str) -> str:
    return f"{path}: {function} must return a tensor, or a tuple or dictionary of tensors, and returned {returned}"


def _named(
    path: str,
    source: Any,
    inputs: List[nested_tensors.Leaf],
    outputs: List[nested_tensors.Leaf],
    module: torch.nn.Module,
    was_training: bool,
) -> PytorchModel:
    wanted_inputs = _given_names(path, source, "INPUT_NAMES", len(inputs)) or nested_tensors.names(inputs, "input")
    wanted_outputs = _given_names(path, source, "OUTPUT_NAMES", len(outputs)) or nested_tensors.names(outputs, "output")
    # A number alone the exporter takes for its own.
    wanted_inputs = [f"input_{name}" if name.isdigit() else name for name in wanted_inputs]
    wanted_outputs = [f"output_{name}" if name.isdigit() else name for name in wanted_outputs]
    used: Dict[str, int] = {}
    names = [tensor_names.unused(name, used) for name in [*wanted_inputs, *wanted_outputs]]
    return PytorchModel(
        module,
        tuple(leaf.tensor for leaf in inputs),
        [leaf.tensor for leaf in outputs],
        was_training,
        names[: len(inputs)],
        names[len(inputs) :],
        [f"{old!r} is named {new!r}" for old, new in zip([*wanted_inputs, *wanted_outputs], names) if old != new],
        [],
    )


def _given_names(path: str, source: Any, variable: str, count: int) -> Optional[List[str]]:
    given = getattr(source, variable, None)
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ModelFileError(f"{path}: {variable} must be a list of names")
    if len(given) != count:
        raise ModelFileError(f"{path}: {variable} holds {len(given)} names, and there are {count} tensors")
    return list(given)
