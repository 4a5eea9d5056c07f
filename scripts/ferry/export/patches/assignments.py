"""``x[index] = value`` is traced as a choice between the elements of ``x`` and those of ``value``.

PyTorch 1.5.1 exports it as a ScatterND: with a step its indices are wrong, ONNX Runtime refuses negative ones, and a
mask is no index at all. Which elements are replaced is known while the model is traced, so a gather takes each from
where it is; where a mask decides, a Where does.
"""

import contextlib
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import torch

from ferry.export.export_watch import depends_on_values
from ferry.export.patches import replaced

_assign = torch.Tensor.__setitem__


@contextlib.contextmanager
def used() -> Iterator[None]:
    """Within it, elements of a tensor that is being traced are replaced so."""
    with replaced(torch.Tensor, __setitem__=_traced):
        yield


def _traced(x: torch.Tensor, index: Any, value: Any) -> None:
    made = _replacing(x, index, value) if torch._C._get_tracing_state() is not None and not _is_view(x) else None
    if made is None:
        _assign(x, index, value)
        return
    with _untraced():
        _assign(x, index, value)
    # From here on the trace takes the one for the other.
    torch._C._set_value_trace(x, torch._C._get_value_trace(made))


def _replacing(x: torch.Tensor, index: Any, value: Any) -> Optional[torch.Tensor]:
    """``x`` with the elements replaced, as a tensor of its own; None where the tracer has to see to it."""
    if not torch.is_tensor(value):
        value = torch.tensor(value, dtype=x.dtype)
    value = value if value.dtype == x.dtype else value.to(x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if any(torch.is_tensor(part) and depends_on_values(part) for part in parts):
        mask = parts[0]
        if len(parts) > 1 or mask.dtype != torch.bool or value.numel() != 1:
            return None
        mask = mask.reshape(tuple(mask.shape) + (1,) * (x.dim() - mask.dim()))
        return torch.where(mask, value.reshape((1,) * x.dim()), x)
    with _untraced():
        places = torch.arange(x.numel()).view(x.shape)[index]
        axis, rows = _along_one_axis(places, x.numel(), tuple(x.shape))
    if not places.numel():
        return None
    value = value.expand(places.shape)
    if axis is None:
        return _chosen(x.reshape(-1), value.reshape(-1), 0, places.reshape(-1).tolist()).reshape(x.shape)
    sizes = [len(rows) if each == axis else size for each, size in enumerate(x.shape)]
    return _chosen(x, value.reshape(sizes), axis, rows)


def _chosen(x: torch.Tensor, value: torch.Tensor, axis: int, rows: Sequence[int]) -> torch.Tensor:
    with _untraced():
        index = torch.arange(x.shape[axis])
        index[torch.as_tensor(rows)] = x.shape[axis] + torch.arange(len(rows))
    return torch.cat([x, value], axis).index_select(axis, index)


def _along_one_axis(places: torch.Tensor, numel: int, sizes: Tuple[int, ...]) -> Tuple[Optional[int], List[int]]:
    """The axis of which whole rows are replaced, and their numbers in order; None where it is no such axis."""
    flat, every = places.reshape(-1), torch.arange(numel).view(sizes)
    step = 1
    for axis in reversed(range(len(sizes))):
        rows = list(dict.fromkeys((flat // step % sizes[axis]).tolist()))
        whole = every.index_select(axis, torch.tensor(rows, dtype=torch.int64))
        if whole.numel() == flat.numel() and torch.equal(whole.reshape(-1), flat):
            return axis, rows
        step *= sizes[axis]
    return None, []


def _is_view(x: torch.Tensor) -> bool:
    """Whether it may be a part of another tensor, which would have to be replaced too."""
    return x.storage().size() != x.numel() or not x.is_contiguous()


@contextlib.contextmanager
def _untraced() -> Iterator[None]:
    state = torch._C._get_tracing_state()
    torch._C._set_tracing_state(None)
    try:
        yield
    finally:
        torch._C._set_tracing_state(state)
