"""Operators that move elements or make tensors, and compute nothing."""

from typing import Any, List

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


def _diagonal_of(g: Any, x: Any, sizes: List[int], offset: int) -> Any:
    """The diagonal of the last two axes of ``x``, whose sizes are ``sizes``."""
    *others, rows, columns = sizes
    index = torch.arange(rows * columns).view(rows, columns).diagonal(offset)
    flat = traced.reshaped(g, x, [*others, rows * columns])
    return g.op("Gather", flat, traced.constant(g, index.contiguous()), axis_i=len(others))


@symbolic_helper.parse_args("v", "i", "i", "i")
def _diagonal(g: Any, x: Any, offset: int, first: int, second: int) -> Any:
    sizes = traced.shape(x)
    last = [first % len(sizes), second % len(sizes)]
    order = [axis for axis in range(len(sizes)) if axis not in last] + last
    return _diagonal_of(g, g.op("Transpose", x, perm_i=order), [sizes[axis] for axis in order], offset)


def _trace(g: Any, x: Any) -> Any:
    return g.op("ReduceSum", _diagonal_of(g, x, traced.shape(x), 0), keepdims_i=0)


@symbolic_helper.parse_args("v", "i", "i", "i")
def _diag_embed(g: Any, x: Any, offset: int, first: int, second: int) -> Any:
    rank = len(traced.shape(x)) + 1
    if (first % rank, second % rank) != (rank - 2, rank - 1):
        raise ValueError("the diagonal must be that of the last two axes")
    return _embedded(g, x, offset)


def _embedded(g: Any, x: Any, offset: int) -> Any:
    """Matrices of 0 beside the diagonal, which the last axis holds."""
    *others, size = traced.shape(x)
    wide = size + abs(offset)
    # Where each element of the matrix comes from; what is beside the diagonal from the 0 behind the elements.
    index = torch.full((wide, wide), size, dtype=torch.int64)
    index.diagonal(offset).copy_(torch.arange(size))
    zero = traced.constant(g, torch.zeros([*others, 1], dtype=traced.dtype(x)))
    return g.op("Gather", g.op("Concat", x, zero, axis_i=len(others)), traced.constant(g, index), axis_i=len(others))


@symbolic_helper.parse_args("v", "i")
def _diag(g: Any, x: Any, offset: int) -> Any:
    sizes = traced.shape(x)
    return _diagonal_of(g, x, sizes, offset) if len(sizes) == 2 else _embedded(g, x, offset)


@symbolic_helper.parse_args("v", "i", "i", "i")
def _unfold(g: Any, x: Any, axis: int, size: int, step: int) -> Any:
    sizes = traced.shape(x)
    axis %= len(sizes)
    count = (sizes[axis] - size) // step + 1
    index = torch.arange(count).view(-1, 1) * step + torch.arange(size)
    cut = g.op("Gather", x, traced.constant(g, index), axis_i=axis)
    order = [each for each in range(len(sizes) + 1) if each != axis + 1]
    return g.op("Transpose", cut, perm_i=[*order, axis + 1])


SYMBOLICS = {
    "triu": _triangle(True),
    "tril": _triangle(False),
    "roll": _roll,
    "new_empty": _new_empty,
    "new_full": _new_full,
    "diagonal": _diagonal,
    "diag": _diag,
    "diag_embed": _diag_embed,
    "trace": _trace,
    "unfold": _unfold,
    "squeeze": _squeeze,
    "chunk": _chunk,
    "scatter": _scatter,
    "repeat_interleave": _repeat_interleave,
}
