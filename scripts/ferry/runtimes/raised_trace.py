"""A trace of PyTorch with all that is float32 in it raised to float64: its casts, and the tensors it made there."""

from typing import Any, List, Tuple

import numpy as np
import torch

# PyTorch's numbers for its dtypes, as a trace holds them.
FLOAT32, FLOAT64 = 6, 7


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """``tensor`` in float64, if it holds floats."""
    tensor = tensor.detach()
    return tensor.double() if tensor.is_floating_point() else tensor


def raised(graph: torch._C.Graph) -> torch._C.Graph:
    """A copy of a traced ``graph`` with its casts to float32, and its float32 constants, in float64."""
    graph = graph.copy()
    for node in graph.nodes():
        if node.kind() == "prim::Constant":
            if node.hasAttribute("value") and node.kindOf("value") == "t":
                value = node.t("value")
                # A number in the model's code is a double, which PyTorch rounds when it meets a float32 tensor.
                node.t_("value", wide(value.float() if value.dtype is torch.float64 else value))
            elif node.hasAttribute("value") and node.kindOf("value") == "f":
                node.f_("value", float(np.float32(node.f("value"))))
            continue
        for position, read in _dtypes(node):
            if read.node().kind() == "prim::Constant" and read.toIValue() == FLOAT32:
                constant = graph.create("prim::Constant")
                constant.i_("value", FLOAT64)
                constant.insertBefore(node)
                (kind,) = constant.outputs()
                kind.setType(torch._C.IntType.get())
                node.replaceInput(position, kind)
    return graph


def _dtypes(node: Any) -> List[Tuple[int, Any]]:
    """The operands of ``node`` that are a dtype, by position."""
    operands = list(node.inputs())
    for schema in torch._C._jit_get_schemas_for_operator(node.kind()):
        arguments = [argument.name for argument in schema.arguments]
        if len(arguments) == len(operands) and "dtype" in arguments:
            position = arguments.index("dtype")
            if operands[position].type().kind() in ("IntType", "OptionalType"):
                return [(position, operands[position])]
    return []
