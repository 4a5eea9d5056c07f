"""Keep each constant of a graph once, however many operators read it."""

import hashlib
from typing import Dict, Mapping

from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph
from ferry.frozen.light_graph import Constant


def share_constants(graph_def: GraphDef, constants: Mapping[str, Constant]) -> None:
    """Have, in place, every reader of two equal constants read the first of them.

    ``constants`` are those that ``graph_def`` has the dtypes and shapes of alone.
    """
    first: Dict[bytes, str] = {}
    replaced: Dict[str, str] = {}
    for node in graph_def.node:
        if node.op == "Const":
            # Two shapes or types of the same bytes are two constants.
            digest = hashlib.sha256(node.attr["value"].SerializeToString(deterministic=True))
            if node.name in constants:
                digest.update(constants[node.name].array())
            kept = first.setdefault(digest.digest(), node.name)
            if kept != node.name:
                replaced[node.name] = kept
    frozen_graph.remove(graph_def, set(replaced))
    for node in graph_def.node:
        for position, name in enumerate(node.input):
            if name in replaced:
                node.input[position] = replaced[name]
