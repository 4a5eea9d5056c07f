"""Do away with channel shuffles by reordering the weights around them.

ShuffleNet shuffles so that each unit works on another half of the channels. TFLite moves them one by one, which takes
up to three quarters of a unit's time. But the convolution that makes channels can make them in the order in which they
are used, and the one that reads them can take any order: then a split in few pieces and a concatenation are left.
"""

from typing import Dict, List, NamedTuple, Optional, Set

import numpy as np
import onnx
from onnx import helper

from ferry.graph.attributes import attribute
from ferry.graph.links import Links
from ferry.graph.node_list import has, replace_nodes
from ferry.graph.onnx_file import initializers, replace_initializers
from ferry.graph.operator_registry import ELEMENTWISE
from ferry.graph.passes.channel_routes import Routes, routes_in
from ferry.graph.passes.fold_constants import remove_dead_nodes, static_shapes

# Where a tensor would fall into more pieces than this, gathering is as good.
MOST_PIECES = 16


class _Weights(NamedTuple):
    """The weights whose order along the first (outputs) or second (inputs) axis goes with a tensor's channels."""

    name: str
    axis: int


class _Plan(NamedTuple):
    orders: Dict[str, np.ndarray]  # of each source, and of each target: old positions in new order
    pieces: Dict[str, List[List[int]]]  # of each source: which of its old channels make up each piece
    takes: Dict[str, List[tuple]]  # of each target: (source, piece) in order
    weights: Dict[str, List[_Weights]]  # of each source and target: what is reordered with it


def route_channels(model: onnx.ModelProto) -> None:
    """Rewrite, in place, each part of the graph that gathers channels between convolutions of static shape."""
    if not has(model, "Gather"):
        return
    constants, links, shapes = initializers(model), Links(model), static_shapes(model)
    plans = {}
    for routes in routes_in(model, constants, shapes, links):
        plan = _plan(routes, links, constants)
        if plan is not None:
            plans[routes.movers[0].output[0]] = routes, plan
    gone: Set[str] = set()
    for routes, plan in plans.values():
        gone.update(node.output[0] for node in routes.movers)
        for tensor, reordered in plan.weights.items():
            for name, axis in reordered:
                constants[name] = np.take(constants[name], plan.orders[tensor], axis=axis)
    nodes: List[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.output[0] not in gone:
            nodes.append(node)
        for _, plan in plans.values():
            for source in set(node.output) & set(plan.pieces):
                nodes.extend(_split(source, plan))
    for _, plan in plans.values():
        nodes.extend(_join(target, plan) for target in plan.takes)
    replace_nodes(model, _in_order(nodes, model, constants))
    replace_initializers(model, constants)
    remove_dead_nodes(model)


def _plan(routes: Routes, links: Links, constants: Dict[str, np.ndarray]) -> Optional[_Plan]:
    plan = _Plan({}, {}, {target: [] for target in routes.targets}, {})
    for target in routes.targets:
        behind = _weights_behind(target, links, constants)
        if behind is None:
            return None
        plan.weights[target] = behind
    used: Dict[tuple, List[int]] = {}
    for position, wanted in enumerate(routes.targets.values()):
        if len(set(wanted)) < len(wanted):
            return None
        for channel in wanted:
            used.setdefault(channel, []).append(position)
    movers = {node.output[0] for node in routes.movers}
    for source, channels in routes.sources.items():
        readers = links.readers(source)
        if readers is None or any(reader.output[0] not in movers for reader in readers):
            return None
        before = _weights_before(source, links, constants)
        if before is None or any((source, index) not in used for index in range(channels)):
            return None
        uses = [tuple(used[source, index]) for index in range(channels)]
        kinds = sorted(set(uses))
        if len(kinds) > MOST_PIECES:
            return None
        plan.pieces[source] = [[index for index in range(channels) if uses[index] == kind] for kind in kinds]
        plan.orders[source] = np.concatenate(plan.pieces[source])
        plan.weights[source] = before
        for piece, kind in enumerate(kinds):
            for position in kind:
                plan.takes[list(routes.targets)[position]].append((source, piece))
    for target, wanted in routes.targets.items():
        where = {channel: position for position, channel in enumerate(wanted)}
        taken = [(source, index) for source, piece in plan.takes[target] for index in plan.pieces[source][piece]]
        plan.orders[target] = np.array([where[channel] for channel in taken])
    return plan


def _weights_before(name: str, links: Links, constants: Dict[str, np.ndarray]) -> Optional[List[_Weights]]:
    """What to reorder so that the tensor ``name`` comes out in another order; ``None`` where nothing can."""
    node = links.producer.get(name)
    while node is not None and node.op_type in ELEMENTWISE and len(node.output) == 1:
        if links.sole_reader(node.input[0]) is None:
            return None
        node = links.producer.get(node.input[0])
    if node is None or node.op_type != "Conv" or attribute(node, "group", 1) != 1:
        return None
    return _own_weights(node, links, constants)


def _weights_behind(name: str, links: Links, constants: Dict[str, np.ndarray]) -> Optional[List[_Weights]]:
    """What to reorder so that all readers of ``name`` take it in another order; ``None`` where one cannot."""
    found: List[_Weights] = []
    for node in links.readers(name) or []:
        if node.input[0] != name:
            return None
        behind: Optional[List[_Weights]] = None
        if node.op_type in ELEMENTWISE and len(node.output) == 1:
            behind = _weights_behind(node.output[0], links, constants)
        elif node.op_type == "Conv":
            own = _own_weights(node, links, constants)
            group = attribute(node, "group", 1)
            if own is not None and group == 1:
                behind = [_Weights(own[0].name, 1)]
            elif own is not None and constants[own[0].name].shape[:2] == (group, 1):
                after = _weights_behind(node.output[0], links, constants)
                behind = None if after is None else [*own, *after]
        if behind is None:
            return None
        found.extend(behind)
    return found or None


def _own_weights(node: onnx.NodeProto, links: Links, constants: Dict[str, np.ndarray]) -> Optional[List[_Weights]]:
    names = [name for name in node.input[1:] if name]
    if any(name not in constants or links.sole_reader(name) is None for name in names):
        return None
    return [_Weights(name, 0) for name in names]


def _piece(source: str, piece: int, plan: _Plan) -> str:
    return source if len(plan.pieces[source]) == 1 else f"{source}_piece{piece}"


def _split(source: str, plan: _Plan) -> List[onnx.NodeProto]:
    pieces = plan.pieces[source]
    if len(pieces) == 1:
        return []
    names = [_piece(source, position, plan) for position in range(len(pieces))]
    lengths = [len(piece) for piece in pieces]
    return [helper.make_node("Split", [source], names, name=f"{source}_split", axis=1, split=lengths)]


def _join(target: str, plan: _Plan) -> onnx.NodeProto:
    names = [_piece(source, piece, plan) for source, piece in plan.takes[target]]
    return helper.make_node("Concat", names, [target], name=f"{target}_concat", axis=1)


def _in_order(
    nodes: List[onnx.NodeProto], model: onnx.ModelProto, constants: Dict[str, np.ndarray]
) -> List[onnx.NodeProto]:
    """``nodes`` in an order in which each tensor is made before it is read."""
    made = {"", *constants, *(info.name for info in model.graph.input)}
    ordered: List[onnx.NodeProto] = []
    left = nodes
    while left:
        waiting = []
        for node in left:
            if all(name in made for name in node.input):
                ordered.append(node)
                made.update(node.output)
            else:
                waiting.append(node)
        if len(waiting) == len(left):
            raise ValueError("the graph has a cycle")
        left = waiting
    return ordered
