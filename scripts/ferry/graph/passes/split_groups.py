"""Make each grouped convolution, for which TFLite 2.4 has no kernel, plain convolutions on parts of the channels.

README, "Grouped convolution", says what was compared: batched matrix products, sums of depthwise convolutions, one
dense convolution, and these. A convolution of fewer than 8 channels is slower than a part of one of 8 of which half are
zeros, so narrow groups are put together first.
"""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value

NARROWEST = 8
# The zeros may not make the file larger than by this share of its weights.
LARGEST_GROWTH = 0.005

# The parts of weights and biases that are made already: convolutions that share them share their parts.
Parts = Dict[Tuple[Value, int, int], List[Value]]


class _Grouped(NamedTuple):
    """A convolution in groups: in how many ``parts`` it falls, each ``together`` of its groups."""

    conv: Node
    weight: Value
    bias: Optional[Value]
    parts: int
    together: int


def split_groups(graph: Graph) -> bool:
    """Rewrite each ``Conv`` in groups that is not depthwise as split, convolutions and concatenation.

    An activation that alone reads the result goes to each of the convolutions, where TFLite runs it with them.
    """
    budget: Optional[float] = None
    made: Parts = {}
    changed = False
    for node in graph:
        if not _is_grouped(node):
            continue
        if budget is None:
            budget = LARGEST_GROWTH * sum(_size(value) for value in graph.constants)
        weight, bias = node.inputs[1], node.input(2)
        assert weight is not None
        group = node.attribute("group")
        together = _merged(group, (weight.static_shape or ())[1])
        growth = (together - 1) * _size(weight)
        if growth > budget:
            together, growth = 1, 0
        budget -= growth
        _split(graph, _Grouped(node, weight, bias, group // together, together), made)
        changed = True
    return changed


def _size(value: Value) -> int:
    """The bytes that a constant takes in the file."""
    return int(np.prod(value.shape, dtype=np.int64)) * (0 if value.dtype is None else value.dtype.itemsize)


def _is_grouped(node: Node) -> bool:
    if not node.is_a("Conv") or node.attribute("group", 1) == 1:
        return False
    if not all(value.is_constant for value in node.inputs[1:] if value is not None):
        return False
    shape = (node.inputs[1].static_shape if node.inputs[1] is not None else None) or ()
    depthwise = shape[1] == 1 and len(shape) <= 4
    return not depthwise


def _merged(group: int, width: int) -> int:
    """How many of the groups to put together: as many as are no wider than ``NARROWEST`` together."""
    return max(
        count for count in range(1, group + 1) if group % count == 0 and (count == 1 or count * width <= NARROWEST)
    )


def _activation(conv: Node) -> Optional[Node]:
    """What alone reads ``conv``, if it can be done to each part."""
    use = conv.output.sole_use
    if use is None or use.position != 0 or not use.node.is_a("Relu", "Clip"):
        return None
    others = [value for value in use.node.inputs[1:] if value is not None]
    return use.node if all(value.is_constant for value in others) else None


def _split(graph: Graph, grouped: _Grouped, made: Parts) -> None:
    conv, parts = grouped.conv, grouped.parts
    activation = _activation(conv)
    source, attributes = conv.inputs[0], conv.attributes.copy()
    del attributes["group"]
    kernel = (grouped.weight.static_shape or ())[2:]
    if not _pads_as_same(conv, kernel):
        # Once for all parts; each convolution would else have a PAD of its own.
        source = _pad(graph, conv, attributes.pop("pads"))
    sources = [source] if parts == 1 else _split_channels(graph, conv, source, parts)
    weights = _parts(graph, grouped, grouped.weight, made, lambda array: _block_diagonal(array, grouped.together))
    biases = _parts(graph, grouped, grouped.bias, made, lambda array: array) if grouped.bias else None
    stem, results = conv.output.name, []
    for position in range(parts):
        name = f"{stem}_group{position}"
        inputs = [sources[position], weights[position], *([biases[position]] if biases else [])]
        result = _part_of(graph, conv.output, parts, f"{name}_out" if activation else name)
        graph.insert("Conv", inputs, [result], attributes.copy(), f"{conv.name}_{position}", before=conv)
        if activation:
            inputs = [result, *activation.inputs[1:]]
            result = _part_of(graph, conv.output, parts, name)
            options, title = activation.attributes.copy(), f"{activation.name}_{position}"
            graph.insert(activation.operator, inputs, [result], options, title, before=conv)
        results.append(result)
    run = [conv, activation] if activation else [conv]
    graph.replace(run, "Concat", results, {"axis": 1}, f"{conv.name}_concat")
    graph.forget_unused([grouped.weight, grouped.bias])


def _part_of(graph: Graph, whole: Value, parts: int, name: str) -> Value:
    """A new value that is one of equal ``parts`` of the channels of ``whole``."""
    shape = whole.shape
    if shape is not None and len(shape) > 1 and shape[1] is not None:
        shape = (shape[0], shape[1] // parts, *shape[2:])
    return graph.add_value(name, shape, whole.dtype)


def _parts(
    graph: Graph, grouped: _Grouped, value: Value, made: Parts, shaped: Callable[[np.ndarray], np.ndarray]
) -> List[Value]:
    """``value``, weights or a bias, as a constant for each of the parts."""
    key = (value, grouped.parts, grouped.together)
    if key not in made:
        made[key] = [
            graph.add_constant(f"{value.name}_{grouped.parts}_{position}", shaped(piece), value.dtype)
            for position, piece in enumerate(np.split(value.array, grouped.parts))
        ]
    return made[key]


def _split_channels(graph: Graph, conv: Node, source: Optional[Value], parts: int) -> List[Value]:
    assert source is not None
    names = [f"{conv.output.name}_group{position}_in" for position in range(parts)]
    values = [_part_of(graph, source, parts, name) for name in names]
    width = conv.attribute("group") // parts * ((conv.inputs[1].static_shape if conv.inputs[1] else None) or ())[1]
    options = {"axis": 1, "split": [width] * parts}
    graph.insert("Split", [source], values, options, f"{conv.name}_split", before=conv)
    return values


def _pads_as_same(node: Node, kernel: Sequence[int]) -> bool:
    """Whether TensorFlow needs no PAD for it: there is no padding, or at stride 1 that of ``SAME``."""
    pads = node.attribute("pads", [])
    if not any(pads):
        return True
    reach = [(size - 1) * step for size, step in zip(kernel, node.attribute("dilations", [1] * len(kernel)))]
    same = [total // 2 for total in reach] + [total - total // 2 for total in reach]
    return list(pads) == same and set(node.attribute("strides", [1])) == {1}


def _pad(graph: Graph, conv: Node, pads: List[int]) -> Value:
    """The input of ``conv`` with ``pads`` of zeros around it."""
    source = conv.inputs[0]
    assert source is not None
    rank = len(pads) // 2
    widths = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
    shape = source.static_shape
    if shape is not None:
        shape = tuple(sum(each) for each in zip(shape, widths, widths[rank + 2 :]))
    target, name = graph.add_value(f"{conv.output.name}_padded", shape, source.dtype), f"{conv.name}_pad"
    if graph.opset < 11:
        graph.insert("Pad", [source], [target], {"pads": widths}, name, before=conv)
    else:
        amount = graph.add_constant(f"{target.name}_widths", np.array(widths, np.int64))
        graph.insert("Pad", [source, amount], [target], name=name, before=conv)
    return target


def _block_diagonal(kernel: np.ndarray, together: int) -> np.ndarray:
    """The kernel (M, w, …) of ``together`` groups as that of one convolution, (M, w · together, …)."""
    filters, width = kernel.shape[:2]
    wide = np.zeros((filters, width * together, *kernel.shape[2:]), kernel.dtype)
    for position in range(together):
        rows = slice(position * filters // together, (position + 1) * filters // together)
        wide[rows, position * width : (position + 1) * width] = kernel[rows]
    return wide
