"""Operators that move elements or make tensors, and compute nothing."""

from typing import Any

import numpy as np
import torch
from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced


def _triangle(upper: bool) -> Any:
    def symbolic(g: Any, x: Any, diagonal: Any) -> Any:
        rows, columns = traced.shape(x)[-2:]
        keep = (np.triu if upper else np.tril)(np.ones((rows, columns), bool), traced.number(diagonal))
        zero = traced.constant(g, 0, traced.dtype(x))
        return g.op("Where", traced.constant(g, torch.from_numpy(keep)), x, zero)

    return symbolic


@symbolic_helper.parse_args("v", "is", "is")
def _roll(g: Any, x: Any, shifts: Any, axes: Any) -> Any:
    sizes = traced.shape(x)
    flat = not axes
    if flat:
        x = traced.reshaped(g, x, [-1])
        lengths, axes = [int(np.prod(sizes, dtype=np.int64))], [0]
    else:
        lengths = [sizes[axis] for axis in axes]
    for shift, axis, length in zip(shifts, axes, lengths):
        split = -shift % length
        if split:
            parts = traced.sliced(g, x, axis, split, length), traced.sliced(g, x, axis, 0, split)
            x = g.op("Concat", *parts, axis_i=axis)
    return traced.reshaped(g, x, sizes) if flat else x


def _new_empty(g: Any, x: Any, sizes: Any, kind: Any, *_: Any) -> Any:
    # What it holds is not defined.
    return _filled(g, x, sizes, 0, kind)


def _new_full(g: Any, x: Any, sizes: Any, value: Any, kind: Any, *_: Any) -> Any:
    return _filled(g, x, sizes, traced.number(value), kind)


def _filled(g: Any, x: Any, sizes: Any, value: Any, kind: Any) -> Any:
    index = traced.number(kind)
    dtype = traced.dtype(x) if index is None else symbolic_helper.scalar_type_to_pytorch_type[index]
    shape = symbolic_helper._get_const(sizes, "is", "size")
    return traced.constant(g, torch.full(shape, value, dtype=dtype))


def _as_strided(g: Any, x: Any, sizes: Any, strides: Any, offset: Any) -> Any:
    _refuse_view(x)
    wanted = symbolic_helper._get_const(sizes, "is", "size")
    steps = symbolic_helper._get_const(strides, "is", "stride")
    index = np.full(wanted, traced.number(offset, 0), np.int64)
    for axis, (size, step) in enumerate(zip(wanted, steps)):
        index += np.arange(size).reshape([-1 if other == axis else 1 for other in range(len(wanted))]) * step
    flat = traced.reshaped(g, x, [-1])
    picked = g.op("Gather", flat, traced.constant(g, torch.from_numpy(index.reshape(-1))))
    return traced.reshaped(g, picked, wanted)


def _refuse_view(x: Any) -> None:
    """Raise ValueError for what may be another order or part of its memory, which a trace says nothing of."""
    node = x.node()
    while node.kind() in ("onnx::Reshape", "onnx::Squeeze", "onnx::Unsqueeze", "onnx::Flatten"):
        node = next(node.inputs()).node()
    if node.kind() in ("onnx::Transpose", "onnx::Slice", "onnx::Split", "onnx::Gather", "onnx::Expand"):
        raise ValueError("it reads the memory of a tensor that is a view; call clone() on that first")


def _repeat_interleave(g: Any, x: Any, repeats: Any, axis: Any = None) -> Any:
    sizes = traced.shape(x)
    where = traced.number(axis)
    if where is None:
        x, sizes, where = traced.reshaped(g, x, [-1]), [int(np.prod(sizes, dtype=np.int64))], 0
    count = traced.number(repeats)
    if count is None or isinstance(count, torch._C.Value):
        times = traced.constant_value(repeats, "how often each is repeated").numpy()
    else:
        times = np.asarray(count)
    index = np.repeat(np.arange(sizes[where]), times)
    return g.op("Gather", x, traced.constant(g, torch.from_numpy(index)), axis_i=where)


SYMBOLICS = {
    "triu": _triangle(True),
    "tril": _triangle(False),
    "roll": _roll,
    "new_empty": _new_empty,
    "new_full": _new_full,
    "as_strided": _as_strided,
    "repeat_interleave": _repeat_interleave,
}
