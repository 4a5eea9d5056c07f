"""Keep each constant of a graph once, however many operators read it."""

import hashlib
from typing import Dict

from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph


def share_constants(graph_def: GraphDef) -> None:
    """Have, in place, every reader of two equal constants read the first of them."""
    first: Dict[bytes, str] = {}
    replaced: Dict[str, str] = {}
    for node in graph_def.node:
        if node.op == "Const":
            # Two shapes or types of the same bytes are two constants.
            content = hashlib.sha256(node.attr["value"].SerializeToString(deterministic=True)).digest()
            kept = first.setdefault(content, node.name)
            if kept != node.name:
                replaced[node.name] = kept
    frozen_graph.remove(graph_def, set(replaced))
    for node in graph_def.node:
        for position, name in enumerate(node.input):
            if name in replaced:
                node.input[position] = replaced[name]
