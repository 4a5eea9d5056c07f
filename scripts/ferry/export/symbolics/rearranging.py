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


def _squeeze(g: Any, x: Any, axis: Any = None) -> Any:
    sizes = traced.shape(x)
    axes = range(len(sizes)) if axis is None else [symbolic_helper._get_const(axis, "i", "dim") % max(len(sizes), 1)]
    dropped = [each for each in axes if sizes and sizes[each] == 1]
    # The exporter drops an axis whatever its size.
    return g.op("Squeeze", x, axes_i=dropped) if dropped else g.op("Identity", x)


@symbolic_helper.parse_args("v", "i", "i")
def _chunk(g: Any, x: Any, count: int, axis: int) -> Any:
    size = traced.shape(x)[axis]
    length = -(-size // count)
    sizes = [min(length, size - start) for start in range(0, size, length)]
    return g.op("Split", x, split_i=sizes, axis_i=axis, outputs=1)


def _scatter(g: Any, x: Any, axis: Any, index: Any, source: Any) -> Any:
    value, sizes = traced.number(source), traced.shape(index)
    if not isinstance(value, torch._C.Value):
        # One number for all places is a tensor of double to the exporter, and of no axis.
        source = traced.constant(g, torch.full(sizes, value, dtype=traced.dtype(x)))
    elif traced.shape(source) != sizes:
        # PyTorch reads as much of it as there are indices.
        for each, (size, held) in enumerate(zip(sizes, traced.shape(source))):
            source = traced.sliced(g, source, each, 0, size) if size != held else source
    return g.op("ScatterElements", x, index, source, axis_i=symbolic_helper._get_const(axis, "i", "dim"))


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
    "squeeze": _squeeze,
    "chunk": _chunk,
    "scatter": _scatter,
    "repeat_interleave": _repeat_interleave,
}
