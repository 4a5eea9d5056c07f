"""Axes and splits that are inputs now and were attributes: Squeeze, Unsqueeze, the reductions, Split."""

from typing import Any, Dict, List

import numpy as np
from onnx import TensorProto

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

# What a reduction over no axis at all still does to each value.
_OF_ONE_VALUE = {"ReduceL1": "Abs", "ReduceL2": "Abs", "ReduceLogSum": "Log"}


@lowers("Unsqueeze", since=13)
def unsqueeze(call: Call) -> None:
    """The axes become an attribute again."""
    call.graph.op("Unsqueeze", [call.input(0)], call.outputs, axes=call.integers(1, "axes"))


@lowers("Squeeze", since=13)
def squeeze(call: Call) -> None:
    """The axes become an attribute again; where none are given, they are those of size 1."""
    axes = call.integers(1, "axes") if call.has(1) else [axis for axis, size in enumerate(call.shape()) if size == 1]
    if axes:
        call.graph.op("Squeeze", [call.input(0)], call.outputs, axes=axes)
    else:
        call.graph.op("Identity", [call.input(0)], call.outputs)


@lowers("ReduceSum", since=13)
@lowers(
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSumSquare",
    since=18,
)
def reduce(call: Call) -> None:
    """The axes become an attribute again; with none, all are meant, or nothing is reduced."""
    kind, x = call.node.op_type, call.input(0)
    axes = call.integers(1, "axes") if call.has(1) else []
    if not axes and call.get("noop_with_empty_axes", 0):
        if kind == "ReduceSumSquare":
            call.graph.op("Mul", [x, x], call.outputs)
        else:
            call.graph.op(_OF_ONE_VALUE.get(kind, "Identity"), [x], call.outputs)
        return
    if 0 in (call.graph.type_of(x).shape or ()):
        raise call.refuse("it reduces a tensor of no values, for which opset 12 says nothing")
    attributes: Dict[str, Any] = {"keepdims": call.get("keepdims", 1)}
    if axes:
        attributes["axes"] = axes
    if call.graph.dtype(x) == np.bool_:
        numbers = call.graph.op("Cast", [x], to=TensorProto.INT32)
        reduced = call.graph.op(kind, [numbers], **attributes)
        call.graph.op("Cast", [reduced], call.outputs, to=TensorProto.BOOL)
    else:
        call.graph.op(kind, [x], call.outputs, **attributes)


@lowers("Split", since=13)
def split(call: Call) -> None:
    """The parts' sizes become an attribute again; of ``num_outputs`` parts, the last is smaller where it must be."""
    axis = call.get("axis", 0)
    if call.has(1):
        sizes = call.integers(1, "sizes")
    elif call.get("num_outputs"):
        sizes = _sizes(call, axis, call.get("num_outputs"))
    else:
        unchanged.write(call)
        return
    call.graph.op("Split", [call.input(0)], call.outputs, axis=axis, split=sizes)


def _sizes(call: Call, axis: int, count: int) -> List[int]:
    rank = call.rank()
    whole = call.graph.type_of(call.input(0)).shape[call.checked_axis(axis, rank)]  # type: ignore[index]
    if whole is None:
        raise call.refuse(f"the size of {call.input(0)!r} along axis {axis} is not known")
    part = -(-whole // count)
    sizes = [part] * (count - 1) + [whole - part * (count - 1)]
    if sizes[-1] < 0:
        raise call.refuse(f"{whole} values along axis {axis} do not make {count} parts")
    return sizes
