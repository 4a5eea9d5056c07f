"""A function under ``@torch.jit.script`` is traced as Python, unless what it does depends on the values of tensors.

PyTorch 1.5.1 puts a scripted function into a trace without the shapes and dtypes of what it computes, so that the
exporter takes ``clamp(0, 6)`` for one of integers and knows no form of the pooling that follows. Packages of image
models script their activations, to save memory in training.
"""

import inspect
from typing import Any

import torch

# How a script makes a number of a tensor's value, which Python does once, for the example input.
_READING = ("Bool", "Int", "Float", "item", "is_nonzero", "ScalarImplicit", "IntImplicit", "FloatImplicit")

_script = torch.jit.script


def install() -> None:
    """Have it so from now on. A model file scripts its functions when it is imported."""
    torch.jit.script = script


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None) -> Any:
    """As ``torch.jit.script``; what comes of a function may be the function itself."""
    made = _script(obj, optimize, _frames_up + 1, _rcb)
    # The compiler, which gives the last argument, asks for what a function that it compiles calls.
    if _rcb is not None or not inspect.isfunction(obj) or _reads_values(made):
        return made
    return obj


def _reads_values(function: Any) -> bool:
    graph = function.graph.copy()
    torch._C._jit_pass_inline(graph)
    return any(graph.findNode(f"aten::{kind}", True) for kind in _READING)
