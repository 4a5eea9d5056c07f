"""Products of vectors, matrices and tensors."""

import functools
from typing import Any

import numpy as np
import torch
from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced


def _product(g: Any, left: Any, right: Any) -> Any:
    # Spectral norm computes with both.
    return g.op("MatMul", left, right)


@symbolic_helper.parse_args("v", "v", "is", "is")
def _tensordot(g: Any, left: Any, right: Any, left_axes: Any, right_axes: Any) -> Any:
    left_shape, right_shape = traced.shape(left), traced.shape(right)
    summed = [axis % len(left_shape) for axis in left_axes], [axis % len(right_shape) for axis in right_axes]
    kept = tuple(
        [axis for axis in range(len(sizes)) if axis not in axes]
        for sizes, axes in zip((left_shape, right_shape), summed)
    )
    depth = int(np.prod([left_shape[axis] for axis in summed[0]], dtype=np.int64))
    rows, columns = [left_shape[axis] for axis in kept[0]], [right_shape[axis] for axis in kept[1]]
    first = g.op("Transpose", left, perm_i=[*kept[0], *summed[0]])
    second = g.op("Transpose", right, perm_i=[*summed[1], *kept[1]])
    product = g.op("MatMul", traced.reshaped(g, first, [-1, depth]), traced.reshaped(g, second, [depth, -1]))
    return traced.reshaped(g, product, [*rows, *columns])


def _addmv(g: Any, x: Any, matrix: Any, vector: Any, beta: Any, alpha: Any) -> Any:
    if traced.number(beta) != 1 or traced.number(alpha) != 1:
        raise ValueError("its factors must be 1")
    return g.op("Add", x, g.op("MatMul", matrix, vector))


@symbolic_helper.parse_args("s", "v")
def _einsum(g: Any, equation: Any, tensors: Any) -> Any:
    operands = symbolic_helper._unpack_list(tensors)
    kinds = [traced.kind(each) for each in operands]
    if len(set(kinds)) > 1:
        # Where it sums nothing PyTorch takes several dtypes, as a product does.
        common = functools.reduce(torch.promote_types, map(traced.dtype, operands))
        kind = next(each for each, operand in zip(kinds, operands) if traced.dtype(operand) == common)
        operands = [traced.cast(g, each, kind) for each in operands]
    return g.op("Einsum", *operands, equation_s=equation)


def _outer(g: Any, left: Any, right: Any) -> Any:
    return g.op("Mul", g.op("Unsqueeze", left, axes_i=[1]), g.op("Unsqueeze", right, axes_i=[0]))


SYMBOLICS = {"dot": _product, "mv": _product, "tensordot": _tensordot, "addmv": _addmv, "ger": _outer}
SINCE_OPSET_12 = {"einsum": _einsum}
