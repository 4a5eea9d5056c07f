"""Replace runs of nodes in which each is read by the next one alone."""

from typing import Callable, Dict, Iterator, List, Optional, Sequence, Set

import onnx

from ferry.graph.links import Links
from ferry.graph.node_list import replace_nodes

Builder = Callable[[List[onnx.NodeProto]], Optional[onnx.NodeProto]]


def replace_chains(model: onnx.ModelProto, operators: Sequence[Sequence[str]], build: Builder) -> None:
    """Put, in place, ``build(run)`` for each run of nodes whose operators are, one by one, among ``operators``.

    A node is linked to the next by its first output and the next one's first input, which nothing else reads. The
    replacement must make the last node's first output. Where ``build`` returns ``None`` the run stays.
    """
    replacements: Dict[str, onnx.NodeProto] = {}
    removed: Set[str] = set()
    for run in _chains(model, operators):
        if any(node.output[0] in removed for node in run):
            continue
        replacement = build(run)
        if replacement is not None:
            removed.update(node.output[0] for node in run)
            replacements[run[-1].output[0]] = replacement
    nodes = []
    for node in model.graph.node:
        output = node.output[0]
        kept = replacements.get(output, None if output in removed else node)
        if kept is not None:
            nodes.append(kept)
    replace_nodes(model, nodes)


def _chains(model: onnx.ModelProto, operators: Sequence[Sequence[str]]) -> Iterator[List[onnx.NodeProto]]:
    links = Links(model)
    for node in model.graph.node:
        run = [node]
        while len(run) < len(operators):
            reader = links.sole_reader(run[-1].output[0])
            if reader is None or reader.input[0] != run[-1].output[0]:
                break
            run.append(reader)
        if len(run) == len(operators) and all(each.op_type in allowed for each, allowed in zip(run, operators)):
            yield run
