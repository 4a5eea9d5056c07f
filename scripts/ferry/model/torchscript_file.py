"""Load a TorchScript model. It says nothing of its inputs, so that their shapes must be given."""

import re
import zipfile
from typing import List

import torch

from ferry import regular_file
from ferry.errors import ModelFileError

DTYPES = {"float32": torch.float32, "int64": torch.int64, "int32": torch.int32, "bool": torch.bool}
SHAPE = re.compile(r"^(\d+(?:,\d+)*)(?::(\w+))?$")


def load(path: str) -> torch.jit.ScriptModule:
    """The module in ``path``, on the CPU.

    Raises:
        ModelFileError: the file is missing, damaged, no TorchScript, or of a version that PyTorch 1.5.1 cannot read.
    """
    try:
        with regular_file.open_for_reading(path) as file:
            is_zip = zipfile.is_zipfile(file)
    except OSError as error:
        raise ModelFileError(f"cannot read the TorchScript model {path}: {error.strerror}") from error
    what = f"{path} is no TorchScript model"
    if not is_zip:
        raise ModelFileError(f"{what}, or is damaged; one is written by torch.jit.script(model).save(…)")
    try:
        return torch.jit.load(path, map_location="cpu")
    except Exception as error:
        reason = str(error).strip().splitlines()
        found = re.search(r"file with version (\d+)", str(error))
        if found:
            raise ModelFileError(
                f"{path} was written by a newer PyTorch (file version {found.group(1)}), which {torch.__version__}"
                " cannot read: give a .py file and WEIGHTS=, or export it to ONNX there and give the .onnx"
            ) from error
        raise ModelFileError(
            f"{what} that PyTorch {torch.__version__} can read: {reason[0] if reason else type(error).__name__}"
        ) from error


def example_inputs(path: str, shapes: str) -> List[torch.Tensor]:
    """Tensors of the ``shapes``, as in ``1,3,224,224`` or ``1,16:int64 1,16:bool``.

    Floats are zeros; integers and booleans hold 0 and 1, which is the range that inputs are then drawn from.

    Raises:
        ModelFileError: there are no shapes, or one cannot be read.
    """
    if not shapes.strip():
        raise ModelFileError(f"{path} says nothing of its inputs: give their shapes, as in INPUT_SHAPE=1,3,224,224")
    return [_example(word) for word in shapes.split()]


def _example(word: str) -> torch.Tensor:
    found = SHAPE.match(word)
    if not found or (found.group(2) or "float32") not in DTYPES:
        raise ModelFileError(
            f"INPUT_SHAPE {word!r} is no shape: it is numbers with commas between them, as in 1,3,224,224, and for "
            f"other than floats a dtype, as in 1,16:int64 (one of {', '.join(DTYPES)})"
        )
    shape, dtype = [int(size) for size in found.group(1).split(",")], DTYPES[found.group(2) or "float32"]
    if 0 in shape:
        raise ModelFileError(f"INPUT_SHAPE {word!r} is of a tensor with no elements")
    made = torch.zeros(shape, dtype=dtype)
    if dtype != torch.float32:
        made.view(-1)[-1] = 1
    return made
