"""Keep each constant of a graph once, however many operators read it."""

import hashlib
from typing import Dict

from tensorflow.core.framework.graph_pb2 import GraphDef


def share_constants(graph_def: GraphDef) -> GraphDef:
    """The same graph with every reader of two equal constants reading the first of them."""
    first: Dict[bytes, str] = {}
    replaced: Dict[str, str] = {}
    for node in graph_def.node:
        if node.op == "Const":
            # Two shapes or types of the same bytes are two constants.
            content = hashlib.sha256(node.attr["value"].SerializeToString(deterministic=True)).digest()
            kept = first.setdefault(content, node.name)
            if kept != node.name:
                replaced[node.name] = kept
    if not replaced:
        return graph_def
    shared = GraphDef(versions=graph_def.versions, library=graph_def.library)
    for node in graph_def.node:
        if node.name in replaced:
            continue
        copy = shared.node.add()
        copy.CopyFrom(node)
        for position, name in enumerate(node.input):
            copy.input[position] = replaced.get(name, name)
    return shared
