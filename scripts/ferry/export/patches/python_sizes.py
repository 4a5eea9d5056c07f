"""Sizes are Python's numbers while a model is traced.

PyTorch 1.5.1's tracer makes a tensor of every size that a model asks for, to keep a trace that other sizes fit. Ferry's
models have static shapes, and tensors in the place of numbers break what models do with sizes: ``x.shape[0] / 8`` is
an integer division, and ``AdaptiveAvgPool2d((None, 1))`` and ``arange(n).repeat(b, 1)`` cannot be exported at all.
"""

import contextlib
import functools
from typing import Any, Callable, Iterator

import torch
from torch.nn import functional

from ferry.export.patches import replaced

# Where the trace is hidden from Python, a size must still find it.
_tracing_state = torch._C._get_tracing_state


@contextlib.contextmanager
def used() -> Iterator[None]:
    """Within it, ``shape``, ``size()`` and ``numel()`` of a tensor are what they are outside of a trace."""
    size, numel = _untraced(torch.Tensor.size), _untraced(torch.Tensor.numel)
    members = {"size": size, "shape": property(size), "numel": numel, "nelement": numel}
    # In a trace it asks a size for its float(), a tensor's method, and rounds the product in float32.
    interpolate = _not_seeing_the_trace(functional.interpolate)
    with replaced(torch.Tensor, **members), replaced(torch, numel=numel), replaced(functional, interpolate=interpolate):
        yield


def _untraced(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def run(tensor: torch.Tensor, *arguments: Any, **named: Any) -> Any:
        state = _tracing_state()
        torch._C._set_tracing_state(None)
        try:
            return method(tensor, *arguments, **named)
        finally:
            torch._C._set_tracing_state(state)

    return run


def _not_seeing_the_trace(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(input: torch.Tensor, *arguments: Any, **named: Any) -> Any:
        # The operators that it calls are traced as ever: that is decided in C++.
        with replaced(torch._C, _get_tracing_state=lambda: None):
            return function(input, *arguments, **named)

    return run
