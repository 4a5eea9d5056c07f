"""Do away with channel shuffles by reordering the weights around them.

ShuffleNet shuffles so that each unit works on another half of the channels. TFLite moves them one by one, which takes
up to three quarters of a unit's time. But the convolution that makes channels can make them in the order in which they
are used, and the one that reads them can take any order: then a split in few pieces and a concatenation are left.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.operator_registry import ELEMENTWISE
from ferry.graph.passes.channel_routes import Routes, routes_in
from ferry.graph.passes.new_names import rename_changed

# Where a tensor would fall into more pieces than this, gathering is as good.
MOST_PIECES = 16


class _Weights(NamedTuple):
    """The weights whose order along the first (outputs) or second (inputs) axis goes with a tensor's channels."""

    value: Value
    axis: int


class _Way(NamedTuple):
    """The weights that are reordered with a tensor's channels, and the tensors on the way to them, itself the first."""

    weights: List[_Weights]
    values: List[Value]


class _Plan(NamedTuple):
    orders: Dict[Value, np.ndarray]  # of each source, and of each target: old positions in new order
    pieces: Dict[Value, List[List[int]]]  # of each source: which of its old channels make up each piece
    takes: Dict[Value, List[Tuple[Value, int]]]  # of each target: (source, piece) in order
    ways: Dict[Value, _Way]  # of each source and target: what is reordered with it


def route_channels(graph: Graph) -> bool:
    """Rewrite each part of the graph that gathers channels between convolutions of static shape."""
    # All are planned on the graph as it is: two may reorder a weight, each along another axis.
    plans = [(routes, plan) for routes in routes_in(graph) for plan in [_plan(routes)] if plan is not None]
    for routes, plan in plans:
        _reroute(graph, routes, plan)
    return bool(plans)


def _plan(routes: Routes) -> Optional[_Plan]:
    plan = _Plan({}, {}, {target: [] for target in routes.targets}, {})
    for target in routes.targets:
        behind = _way_behind(target)
        if behind is None:
            return None
        plan.ways[target] = behind
    used: Dict[Tuple[Value, int], List[int]] = {}
    for position, wanted in enumerate(routes.targets.values()):
        if len(set(wanted)) < len(wanted):
            return None
        for channel in wanted:
            used.setdefault(channel, []).append(position)
    movers, targets = set(routes.movers), list(routes.targets)
    for source, channels in routes.sources.items():
        before = None
        if not source.is_pinned and all(use.node in movers for use in source.uses):
            before = _way_before(source)
        if before is None or any((source, index) not in used for index in range(channels)):
            return None
        uses = [tuple(used[source, index]) for index in range(channels)]
        kinds = sorted(set(uses))
        if len(kinds) > MOST_PIECES:
            return None
        plan.pieces[source] = [[index for index in range(channels) if uses[index] == kind] for kind in kinds]
        plan.orders[source] = np.concatenate(plan.pieces[source])
        plan.ways[source] = before
        for piece, kind in enumerate(kinds):
            for position in kind:
                plan.takes[targets[position]].append((source, piece))
    for target, wanted in routes.targets.items():
        where = {channel: position for position, channel in enumerate(wanted)}
        taken = [(source, index) for source, piece in plan.takes[target] for index in plan.pieces[source][piece]]
        plan.orders[target] = np.array([where[channel] for channel in taken])
    return plan


def _way_before(value: Value) -> Optional[_Way]:
    """What to reorder so that ``value`` comes out in another order; ``None`` where nothing can."""
    values = [value]
    node = value.producer
    while node is not None and node.is_a(*ELEMENTWISE) and len(node.outputs) == 1:
        source = node.inputs[0]
        if source is None or source.sole_use is None:
            return None
        values.append(source)
        node = source.producer
    if node is None or not node.is_a("Conv") or node.attribute("group", 1) != 1:
        return None
    own = _own_weights(node)
    return None if own is None else _Way(own, values)


def _way_behind(value: Value) -> Optional[_Way]:
    """What to reorder so that all readers of ``value`` take it in another order; ``None`` where one cannot."""
    way = _Way([], [])
    open_values = [value]
    while open_values:
        value = open_values.pop()
        way.values.append(value)
        if value.is_pinned or not value.uses:
            return None
        for node, index in value.uses:
            if index != 0:
                return None
            if node.is_a(*ELEMENTWISE) and len(node.outputs) == 1:
                open_values.append(node.output)
                continue
            own = _own_weights(node) if node.is_a("Conv") else None
            if own is None:
                return None
            group = node.attribute("group", 1)
            if group == 1:
                way.weights.append(_Weights(own[0].value, 1))
            elif own[0].value.static_shape is not None and own[0].value.static_shape[:2] == (group, 1):
                way.weights.extend(own)
                open_values.append(node.output)
            else:
                return None
    return way


def _own_weights(node: Node) -> Optional[List[_Weights]]:
    """The constant weights and bias that ``node`` alone reads; ``None`` where there are others."""
    values = [value for value in node.inputs[1:] if value is not None]
    if not all(value.is_constant and value.sole_use is not None for value in values):
        return None
    return [_Weights(value, 0) for value in values]


def _reroute(graph: Graph, routes: Routes, plan: _Plan) -> None:
    for tensor, way in plan.ways.items():
        order = plan.orders[tensor]
        for value, axis in way.weights:
            value.set_constant(np.take(value.array, order, axis=axis))
        if not np.array_equal(order, np.arange(len(order))):
            rename_changed(graph, way.values, "reordered")
    pieces = {source: _split(graph, source, plan.pieces[source]) for source in routes.sources}
    for target in routes.targets:
        # Whatever made it comes behind all the sources that its channels are of.
        maker = target.producer
        inputs = [pieces[source][piece] for source, piece in plan.takes[target]]
        graph.insert("Concat", inputs, [target], {"axis": 1}, f"{target.name}_concat", after=maker)
    for node in reversed(routes.movers):
        graph.remove(node)


def _split(graph: Graph, source: Value, pieces: List[List[int]]) -> List[Value]:
    """``source``, which makes its channels in the new order, in as many pieces."""
    if len(pieces) == 1:
        return [source]
    batch, _, height, width = source.static_shape or ()
    made = [
        graph.add_value(f"{source.name}_piece{position}", [batch, len(piece), height, width], source.dtype)
        for position, piece in enumerate(pieces)
    ]
    lengths = [len(piece) for piece in pieces]
    graph.insert("Split", [source], made, {"axis": 1, "split": lengths}, f"{source.name}_split", after=source.producer)
    return made
