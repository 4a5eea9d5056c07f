"""Which ONNX node each operator of a TensorFlow graph was built for, so that a refusal of it can name that.

While the graph is built, it is a collection of the graph; in a frozen graph, an attribute of its first input that
TensorFlow passes over.
"""

import bisect
import json
from typing import Dict, Iterable, List, Optional, Tuple

import onnx
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.graph.onnx_node import OnnxNode, line_of

_COLLECTION, _ATTRIBUTE = "ferry/built_for", "_onnx_nodes"
# Of many operators of a kind, how many a message names.
MOST_NAMED = 3


def note_built(graph: tf.Graph, node: Optional[onnx.NodeProto]) -> None:
    """Note in ``graph`` that what was added to it since the last note was built for ``node``, or for none."""
    built_for = None if node is None else OnnxNode(node.op_type, node.name, line_of(node))
    graph.add_to_collection(_COLLECTION, (graph.version, built_for))


def note(graph_def: GraphDef, graph: tf.Graph) -> None:
    """Note in ``graph_def``, which is ``graph`` as TensorFlow wrote it, what was noted while that was built."""
    noted: List[Tuple[int, Optional[OnnxNode]]] = graph.get_collection(_COLLECTION)
    versions = [version for version, _ in noted]
    kept = {node.name for node in graph_def.node if node.op not in ("Const", "Placeholder")}
    found: Dict[OnnxNode, List[str]] = {}
    for op in graph.get_operations():
        position = bisect.bisect_left(versions, op._id)
        built_for = noted[position][1] if position < len(noted) else None
        if built_for is not None and op.name in kept:
            found.setdefault(built_for, []).append(op.name)
    text = json.dumps([[*node, names] for node, names in found.items()], separators=(",", ":"))
    for node in graph_def.node:
        if node.op == "Placeholder":
            node.attr[_ATTRIBUTE].s = text.encode()
            return


def onnx_nodes(graph_def: GraphDef) -> Dict[str, OnnxNode]:
    """The ONNX node that each operator of ``graph_def`` was built for, by the operator's name, where that was noted."""
    text = next((node.attr[_ATTRIBUTE].s for node in graph_def.node if _ATTRIBUTE in node.attr), b"[]")
    try:
        entries = json.loads(text)
        return {name: OnnxNode(*map(str, rest)) for *rest, names in entries for name in names}
    except (ValueError, TypeError):
        # A damaged file's: what it was for is not known, and nothing else depends on it.
        return {}


def described(name: str, nodes: Dict[str, OnnxNode]) -> str:
    """The operator called ``name`` as a message names it, with its ONNX node where ``nodes`` has that."""
    return f"{name}, built for {nodes[name].described}" if name in nodes else name


def listed(names: Iterable[str], nodes: Dict[str, OnnxNode]) -> str:
    """The ONNX nodes that the operators ``names`` were built for, the first few by name; empty if none is known."""
    found = list(dict.fromkeys(nodes[name].described for name in names if name in nodes))
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + more
