"""Embedding bags: rows of a table, and their sum, mean or maximum a bag."""

from typing import Any, List

from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced

_REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax")


@symbolic_helper.parse_args("v", "v", "v", "i", "i", "i", "v", "i")
def _embedding_bag(
    g: Any,
    table: Any,
    indices: Any,
    offsets: Any,
    scale_grad_by_freq: int,
    mode: int,
    sparse: int,
    weights: Any,
    include_last_offset: int,
) -> List[Any]:
    count = traced.shape(indices)[0]
    starts = traced.constant_value(offsets, "where each bag begins").tolist()
    ends = [*starts[1:], *([] if include_last_offset else [count])]
    rows = g.op("Gather", table, indices)
    if not symbolic_helper._is_none(weights):
        rows = g.op("Mul", rows, g.op("Unsqueeze", weights, axes_i=[1]))
    lengths = {end - start for start, end in zip(starts, ends)}
    if min(lengths) < 1:
        raise ValueError("a bag that may be empty has no form in ONNX")
    if len(lengths) == 1 and starts[0] == 0:
        grouped = traced.reshaped(g, rows, [len(ends), lengths.pop(), -1])
        made = g.op(_REDUCTIONS[mode], grouped, axes_i=[1], keepdims_i=0)
    else:
        bags = [traced.sliced(g, rows, 0, start, end) for start, end in zip(starts, ends)]
        made = g.op("Concat", *(g.op(_REDUCTIONS[mode], bag, axes_i=[0], keepdims_i=1) for bag in bags), axis_i=0)
    # The other three outputs serve the gradient.
    return [made, None, None, None]


SYMBOLICS = {"embedding_bag": _embedding_bag}
