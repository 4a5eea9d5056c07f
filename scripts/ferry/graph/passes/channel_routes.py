"""Follow channels through the operators that only move them: ``Concat``, ``Split`` and ``Gather`` of channels."""

from typing import Dict, List, NamedTuple, Set, Tuple

import numpy as np
import onnx

from ferry.graph.attributes import attribute
from ferry.graph.links import Links

Channel = Tuple[str, int]


class Routes(NamedTuple):
    """A connected part of the graph that only moves channels.

    ``sources`` are the tensors that come into it, with their numbers of channels; ``targets`` those that leave it, with
    the channel of a source that each of theirs is; ``movers`` the nodes between.
    """

    sources: Dict[str, int]
    targets: Dict[str, List[Channel]]
    movers: List[onnx.NodeProto]


def routes_in(
    model: onnx.ModelProto, constants: Dict[str, np.ndarray], shapes: Dict[str, List[int]], links: Links
) -> List[Routes]:
    """All such parts of ``model`` in which something is gathered, in the graph's order."""
    movers = [node for node in model.graph.node if _moves_channels(node, constants, shapes)]
    moved = {name for node in movers for name in node.output}
    channels: Dict[str, List[Channel]] = {}
    part_of: Dict[str, int] = {}
    parts: Dict[int, Routes] = {}
    for position, node in enumerate(movers):
        operands = _operands(node)
        joined = sorted({part_of[name] for name in operands if name in part_of})
        part = parts[position] = Routes({}, {}, [])
        for other in joined:
            merged = parts.pop(other)
            part.sources.update(merged.sources)
            part.movers.extend(merged.movers)
            part_of.update((name, position) for name, at in list(part_of.items()) if at == other)
        part.movers.append(node)
        for name in operands:
            if name not in moved:
                channels.setdefault(name, [(name, index) for index in range(shapes[name][1])])
                part.sources[name] = shapes[name][1]
        channels.update(_moved(node, [channels[name] for name in operands], constants))
        part_of.update((name, position) for name in [*operands, *node.output])
    mover_outputs: Set[str] = {node.output[0] for node in movers}
    for part in parts.values():
        for node in part.movers:
            for name in node.output:
                readers = links.readers(name)
                if readers is None or any(reader.output[0] not in mover_outputs for reader in readers):
                    part.targets[name] = channels[name]
    return [part for part in parts.values() if any(node.op_type == "Gather" for node in part.movers)]


def _moves_channels(node: onnx.NodeProto, constants: Dict[str, np.ndarray], shapes: Dict[str, List[int]]) -> bool:
    if node.op_type not in ("Concat", "Split", "Gather") or attribute(node, "axis", 0) != 1:
        return False
    if any(len(shapes.get(name, [])) != 4 for name in [*_operands(node), *node.output]):
        return False
    if node.op_type == "Gather":
        return node.input[1] in constants and constants[node.input[1]].ndim == 1
    return not any(name in constants for name in node.input)


def _operands(node: onnx.NodeProto) -> List[str]:
    return list(node.input) if node.op_type == "Concat" else [node.input[0]]


def _moved(
    node: onnx.NodeProto, operands: List[List[Channel]], constants: Dict[str, np.ndarray]
) -> Dict[str, List[Channel]]:
    if node.op_type == "Concat":
        return {node.output[0]: [channel for operand in operands for channel in operand]}
    if node.op_type == "Gather":
        return {node.output[0]: [operands[0][index] for index in constants[node.input[1]]]}
    count = len(node.output)
    lengths = attribute(node, "split") or [len(operands[0]) // count] * count
    ends = np.cumsum(lengths)
    return {name: operands[0][end - length : end] for name, end, length in zip(node.output, ends, lengths)}
