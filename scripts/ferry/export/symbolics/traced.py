"""What a symbolic function can know of the values it is given: shapes, dtypes and constants.

Values are ``torch._C.Value``, of which PyTorch 1.5.1 has no type to annotate with.
"""

from typing import Any, List, Optional

import torch
from torch.onnx import symbolic_helper


def shape(value: Any) -> List[int]:
    """The sizes of a traced tensor.

    Raises:
        ValueError: the trace does not know them.
    """
    sizes = value.type().sizes() if value.isCompleteTensor() else None
    if sizes is None:
        raise ValueError("the trace does not know the shape of what it is given")
    return list(sizes)


def kind(value: Any) -> str:
    """The name of a traced tensor's dtype, as ``Float``, ``Long`` or ``Bool``; empty if the trace does not know it."""
    return value.type().scalarType() or ""


def dtype(value: Any) -> torch.dtype:
    """A traced tensor's dtype; float32 if the trace does not know it."""
    index = symbolic_helper.scalar_type_to_onnx.index(symbolic_helper.cast_pytorch_to_onnx[kind(value) or "Float"])
    return symbolic_helper.scalar_type_to_pytorch_type[index]


def constant_value(value: Any, what: str) -> torch.Tensor:
    """The tensor that a value stands for.

    Raises:
        ValueError: it is computed; ``what`` says what it is.
    """
    node = value.node()
    if node.kind() not in ("onnx::Constant", "prim::Constant"):
        raise ValueError(f"{what} must be constant")
    return node["value"]


def number(value: Any, default: Any = None) -> Any:
    """The Python number of a constant value; ``default`` for None."""
    if value is None or symbolic_helper._is_none(value):
        return default
    found = symbolic_helper._maybe_get_scalar(value)
    return found.item() if isinstance(found, torch.Tensor) else found


def constant(g: Any, data: Any, like: Optional[torch.dtype] = None) -> Any:
    """A constant tensor in the graph."""
    return g.op("Constant", value_t=torch.as_tensor(data, dtype=like))


def cast(g: Any, value: Any, to: str) -> Any:
    """``value`` as a tensor of the dtype named ``to``, as ``Float``."""
    if kind(value) == to:
        return value
    return g.op("Cast", value, to_i=symbolic_helper.cast_pytorch_to_onnx[to])


def reshaped(g: Any, value: Any, sizes: List[int]) -> Any:
    """``value`` with the shape ``sizes``."""
    return g.op("Reshape", value, constant(g, sizes, torch.int64))


def sliced(g: Any, value: Any, axis: int, start: int, stop: int) -> Any:
    """``value[start:stop]`` along ``axis``."""
    return g.op("Slice", value, *(constant(g, [each], torch.int64) for each in (start, stop, axis)))
