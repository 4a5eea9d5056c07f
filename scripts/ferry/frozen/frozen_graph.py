"""Read and write frozen TensorFlow graphs (``.pb``), the same graph always as the same bytes."""

from typing import List

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry import regular_file
from ferry.errors import InputFileError, first_line

_ONNX_DIGEST, _NODES = "_onnx_sha256", "_nodes"


def load(path: str) -> GraphDef:
    """Read the frozen graph in ``path``.

    Raises:
        InputFileError: the file is missing, cannot be parsed, is not a graph, or is one that TensorFlow refuses.
    """
    try:
        with regular_file.open_for_reading(path) as file:
            data = file.read()
    except OSError as error:
        raise InputFileError(f"cannot read the frozen graph {path}: {error.strerror}") from error
    graph_def = GraphDef()
    try:
        graph_def.ParseFromString(data)
    except DecodeError as error:
        raise InputFileError(f"{path} is not a frozen graph, or is cut short ({len(data)} bytes)") from error
    whole = next((node.attr[_NODES].i for node in graph_def.node if _NODES in node.attr), len(graph_def.node))
    if whole != len(graph_def.node):
        raise InputFileError(f"{path} is cut short or damaged: it has {len(graph_def.node)} of its {whole} nodes")
    if not input_names(graph_def) or not output_names(graph_def):
        raise InputFileError(f"{path} holds no TensorFlow graph with inputs and outputs ({len(data)} bytes)")
    try:
        with tf.Graph().as_default():
            tf.import_graph_def(graph_def, name="")
    except (ValueError, tf.errors.OpError) as error:
        reason = first_line(error)
        raise InputFileError(f"TensorFlow {tf.__version__} refuses the graph in {path}: {reason}") from error
    return graph_def


def note_origin(graph_def: GraphDef, digest: str) -> None:
    """Note in ``graph_def`` which ``.onnx`` file it was made of, and how many nodes it has.

    It may be cut off between two nodes, and is a graph still. TensorFlow passes over attributes with such names.
    """
    for node in graph_def.node:
        if node.op == "Placeholder":
            node.attr[_ONNX_DIGEST].s = digest.encode()
            node.attr[_NODES].i = len(graph_def.node)
            return


def onnx_digest(graph_def: GraphDef) -> str:
    """What ``note_origin`` noted, or an empty string."""
    return next(
        (node.attr[_ONNX_DIGEST].s.decode("ascii", "replace") for node in graph_def.node if _ONNX_DIGEST in node.attr),
        "",
    )


def to_bytes(graph_def: GraphDef) -> bytes:
    """The graph as bytes that depend on nothing but the graph."""
    return graph_def.SerializeToString(deterministic=True)


def in_order(graph_def: GraphDef, inputs: List[str], outputs: List[str]) -> GraphDef:
    """The same graph with ``inputs`` first and ``outputs`` last: a ``.pb`` has no other place to keep their order."""
    nodes = {node.name: node for node in graph_def.node}
    ends = set(inputs) | set(outputs)
    ordered = GraphDef(versions=graph_def.versions, library=graph_def.library)
    ordered.node.extend(nodes[name] for name in inputs if name in nodes)
    ordered.node.extend(node for node in graph_def.node if node.name not in ends)
    ordered.node.extend(nodes[name] for name in outputs)
    return ordered


def input_names(graph_def: GraphDef) -> List[str]:
    """The placeholders, in the file's order."""
    return [node.name for node in graph_def.node if node.op == "Placeholder"]


def output_names(graph_def: GraphDef) -> List[str]:
    """The nodes that no other node reads, in the file's order."""
    read = {name.split(":")[0].lstrip("^") for node in graph_def.node for name in node.input}
    leaves = [node for node in graph_def.node if node.name not in read]
    return [node.name for node in leaves if node.op not in ("Const", "Placeholder", "NoOp")]
