"""LayerNormalization, RMSNormalization and GroupNormalization, written as PyTorch 1.5.1 exports the layers."""

from typing import List, Optional

import numpy as np

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers


@lowers("LayerNormalization", since=17)
def layer_normalization(call: Call) -> None:
    """``(x - mean) / sqrt(variance + epsilon)`` over the axes from ``axis`` on, scaled and shifted."""
    graph, x, axes = call.graph, call.input(0), _axes(call)
    mean = graph.op("ReduceMean", [x], _named(call, 1), axes=axes, keepdims=1)
    centred = graph.op("Sub", [x, mean])
    deviation = _root_mean_square(call, centred, axes)
    if call.wants(2):
        graph.op("Reciprocal", [deviation], _named(call, 2))
    _scale(call, graph.op("Div", [centred, deviation]))


@lowers("RMSNormalization", since=23)
def rms_normalization(call: Call) -> None:
    """``x / sqrt(mean of squares + epsilon)`` over the axes from ``axis`` on, scaled."""
    x = call.input(0)
    _scale(call, call.graph.op("Div", [x, _root_mean_square(call, x, _axes(call))]))


def _axes(call: Call) -> List[int]:
    # Counted from the end where they are given so: then no rank need be known.
    axis = call.get("axis", -1)
    return list(range(axis, 0)) if axis < 0 else list(range(call.axis(-1), call.rank()))


def _named(call: Call, position: int) -> Optional[List[str]]:
    return [call.outputs[position]] if call.wants(position) else None


def _root_mean_square(call: Call, x: str, axes: List[int]) -> str:
    graph = call.graph
    square = graph.op("Pow", [x, graph.scalar(2, x)])
    mean = graph.op("ReduceMean", [square], axes=axes, keepdims=1)
    return graph.op("Sqrt", [graph.op("Add", [mean, graph.scalar(call.get("epsilon", 1e-5), x)])])


def _scale(call: Call, normalised: str) -> None:
    outputs = call.outputs[:1]
    if call.has(2):
        scaled = call.graph.op("Mul", [normalised, call.input(1)])
        call.graph.op("Add", [scaled, call.input(2)], outputs)
    else:
        call.graph.op("Mul", [normalised, call.input(1)], outputs)


@lowers("GroupNormalization", since=18)
def group_normalization(call: Call) -> None:
    """An instance normalization of each group; its scale is one value a group up to opset 20, one a channel since."""
    graph, x, groups, rank = call.graph, call.input(0), call.get("num_groups"), call.rank()
    grouped = graph.op("Reshape", [x, graph.constant([0, groups, -1], np.int64)])
    ones, zeros = (graph.constant(np.full(groups, value, np.float32)) for value in (1, 0))
    by_group = call.opset < 21
    scale, bias = (call.input(1), call.input(2)) if by_group else (ones, zeros)
    epsilon = call.get("epsilon", 1e-5)
    normalised = graph.op("InstanceNormalization", [grouped, scale, bias], epsilon=epsilon)
    shape = graph.type_of(x).shape or ()
    whole = graph.constant(np.array(shape, np.int64)) if None not in shape else graph.op("Shape", [x])
    if by_group:
        graph.op("Reshape", [normalised, whole], call.outputs)
        return
    restored = graph.op("Reshape", [normalised, whole])
    scale, bias = (_by_channel(call, call.input(position), rank) for position in (1, 2))
    graph.op("Add", [graph.op("Mul", [restored, scale]), bias], call.outputs)


def _by_channel(call: Call, vector: str, rank: int) -> str:
    value = call.graph.value(vector)
    if value is not None:
        return call.graph.constant(value.reshape((-1, *[1] * (rank - 2))))
    return call.graph.op("Unsqueeze", [vector], axes=list(range(1, rank - 1)))
