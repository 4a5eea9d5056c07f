"""``as_strided`` is traced as a gather of the elements that it reads.

It reads a tensor's memory, whose order a trace says nothing of: of a transposed tensor it would be another one. Where
the tensor is, its strides say which element lies where.
"""

import contextlib
from typing import Any, Callable, Iterator, Optional, Sequence

import torch

from ferry.export.patches import replaced


@contextlib.contextmanager
def used() -> Iterator[None]:
    """Within it, ``as_strided`` of a tensor that is being traced gathers."""
    method, function = _gathering(torch.Tensor.as_strided), _gathering(torch.as_strided)
    with replaced(torch.Tensor, as_strided=method), replaced(torch, as_strided=function):
        yield


def _gathering(original: Callable[..., Any]) -> Callable[..., Any]:
    def as_strided(
        input: torch.Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: Optional[int] = None
    ) -> torch.Tensor:
        if torch._C._get_tracing_state() is None:
            return original(input, size, stride, storage_offset)
        state = torch._C._get_tracing_state()
        torch._C._set_tracing_state(None)
        try:
            index = _elements(input, size, stride, storage_offset)
        finally:
            torch._C._set_tracing_state(state)
        return input.reshape(-1).index_select(0, index).reshape(tuple(size))

    return as_strided


def _elements(
    input: torch.Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: Optional[int]
) -> torch.Tensor:
    """The number of each element of ``input`` that is read, in order."""
    begin = input.storage_offset() if storage_offset is None else storage_offset
    wanted = _places(size, stride, begin)
    held = _places(input.shape, input.stride(), input.storage_offset())
    element_at = torch.full((int(max(wanted.max(), held.max())) + 1,), -1, dtype=torch.int64)
    element_at[held] = torch.arange(held.numel())
    index = element_at[wanted]
    if bool((index < 0).any()):
        raise ValueError("as_strided reads memory beside the tensor's own elements; call contiguous() on that first")
    return index


def _places(sizes: Sequence[int], strides: Sequence[int], begin: int) -> torch.Tensor:
    """Where in memory each element lies of a tensor with these sizes and strides, as one axis."""
    places = torch.full((1,), begin, dtype=torch.int64)
    for size, step in zip(sizes, strides):
        places = (places.unsqueeze(1) + torch.arange(size) * step).reshape(-1)
    return places
