"""Follow channels through the operators that only move them: ``Concat``, ``Split`` and ``Gather`` of channels."""

from typing import Dict, List, NamedTuple, Tuple

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value

Channel = Tuple[Value, int]


class Routes(NamedTuple):
    """A connected part of the graph that only moves channels.

    ``sources`` are the values that come into it, with their numbers of channels; ``targets`` those that leave it, with
    the channel of a source that each of theirs is; ``movers`` the nodes between.
    """

    sources: Dict[Value, int]
    targets: Dict[Value, List[Channel]]
    movers: List[Node]


def routes_in(graph: Graph) -> List[Routes]:
    """All such parts of ``graph`` in which something is gathered, in the graph's order."""
    movers = {node: None for node in graph if _moves_channels(node)}
    channels: Dict[Value, List[Channel]] = {}
    parts = _Parts()
    for node in movers:
        operands = _operands(node)
        for value in operands:
            channels.setdefault(value, [(value, index) for index in range(_width(value))])
        channels.update(_moved(node, [channels[value] for value in operands]))
        parts.connect([*operands, *(value for value in node.outputs if value is not None)])
    found: Dict[Value, Routes] = {}
    for node in movers:
        part = found.setdefault(parts.root(node.output), Routes({}, {}, []))
        part.movers.append(node)
        for value in _operands(node):
            if value.producer not in movers:
                part.sources[value] = _width(value)
        for made in node.outputs:
            if made is not None and (made.is_pinned or any(use.node not in movers for use in made.uses)):
                part.targets[made] = channels[made]
    return [part for part in found.values() if any(node.operator == "Gather" for node in part.movers)]


class _Parts:
    """Sets of values that are connected, one way or another (a union-find)."""

    def __init__(self) -> None:
        self._parent: Dict[Value, Value] = {}

    def root(self, value: Value) -> Value:
        """The one value that stands for all that ``value`` is connected to."""
        self._parent.setdefault(value, value)
        while self._parent[value] is not value:
            # Each value that is met on the way comes nearer to the root.
            self._parent[value] = self._parent[self._parent[value]]
            value = self._parent[value]
        return value

    def connect(self, values: List[Value]) -> None:
        """Note that all ``values`` are connected."""
        first = self.root(values[0])
        for value in values[1:]:
            self._parent[self.root(value)] = first


def _moves_channels(node: Node) -> bool:
    if not node.is_a("Concat", "Split", "Gather") or node.attribute("axis", 0) != 1:
        return False
    if any(value is None or len(value.static_shape or ()) != 4 for value in [*_operands(node), *node.outputs]):
        return False
    if node.operator == "Gather":
        indices = node.inputs[1]
        return indices is not None and indices.is_constant and len(indices.shape or ()) == 1
    return not any(value.is_constant for value in _operands(node))


def _operands(node: Node) -> List[Value]:
    return [value for value in (node.inputs if node.operator == "Concat" else node.inputs[:1]) if value is not None]


def _width(value: Value) -> int:
    shape = value.static_shape
    assert shape is not None
    return shape[1]


def _moved(node: Node, operands: List[List[Channel]]) -> Dict[Value, List[Channel]]:
    if node.operator == "Concat":
        return {node.output: [channel for operand in operands for channel in operand]}
    if node.operator == "Gather":
        indices = node.inputs[1]
        assert indices is not None
        return {node.output: [operands[0][index] for index in indices.array]}
    made = [value for value in node.outputs if value is not None]
    lengths = node.attribute("split") or [len(operands[0]) // len(made)] * len(made)
    ends = np.cumsum(lengths)
    return {value: operands[0][end - length : end] for value, end, length in zip(made, ends, lengths)}
