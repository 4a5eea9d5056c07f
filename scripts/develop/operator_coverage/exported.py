"""Which ONNX operators PyTorch's exporter can write: those that its symbolic functions name."""

import glob
import os
import re
from typing import Set

import onnx.defs
import torch.onnx

STRING = re.compile(r"""["']([A-Z]\w+)["']""")


def exported_operators() -> Set[str]:
    """The names of operators that stand in the installed PyTorch's symbolic functions, of any opset."""
    found: Set[str] = set()
    for path in glob.glob(os.path.join(os.path.dirname(torch.onnx.__file__), "symbolic_*.py")):
        with open(path, encoding="utf-8") as file:
            found.update(STRING.findall(file.read()))
    return found & {schema.name for schema in onnx.defs.get_all_schemas()}
