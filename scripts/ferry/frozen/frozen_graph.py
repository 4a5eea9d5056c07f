"""Read and write frozen TensorFlow graphs (``.pb``), the same graph always as the same bytes."""

import os
from typing import List, Set

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry import regular_file
from ferry.errors import InputFileError, first_line
from ferry.frozen import light_graph
from ferry.frozen.light_graph import LightGraph

_ONNX_DIGEST, _NODES, _RECURRENT, _ARTICLE = "_onnx_sha256", "_nodes", "_recurrent", "_article"


def load(path: str) -> GraphDef:
    """Read the frozen graph in ``path``; see :func:`load_light`."""
    return load_light(path).whole()


def load_light(path: str) -> LightGraph:
    """Read the frozen graph in ``path``, but for its large constants, which are read from it when they are asked for.

    Raises:
        InputFileError: the file is missing, cannot be parsed, is not a graph, or is one that TensorFlow refuses.
    """
    try:
        # It stays open as long as the constants may be asked for.
        file = regular_file.open_for_reading(path)
        size = os.fstat(file.fileno()).st_size
        light = light_graph.read(file, size)
    except OSError as error:
        raise InputFileError(f"cannot read the frozen graph {path}: {error.strerror}") from error
    except DecodeError as error:
        raise InputFileError(f"{path} is not a frozen graph, or is cut short ({size} bytes)") from error
    except ValueError as error:
        raise InputFileError(f"{path} is damaged: {error}") from error
    graph_def = light.graph_def
    whole = next((node.attr[_NODES].i for node in graph_def.node if _NODES in node.attr), len(graph_def.node))
    if whole != len(graph_def.node):
        raise InputFileError(f"{path} is cut short or damaged: it has {len(graph_def.node)} of its {whole} nodes")
    if not input_names(graph_def) or not output_names(graph_def):
        raise InputFileError(f"{path} holds no TensorFlow graph with inputs and outputs ({size} bytes)")
    try:
        with tf.Graph().as_default():
            tf.import_graph_def(without_constants(light), name="")
    except (ValueError, tf.errors.OpError) as error:
        reason = first_line(error)
        raise InputFileError(f"TensorFlow {tf.__version__} refuses the graph in {path}: {reason}") from error
    return light


def without_constants(light: LightGraph) -> GraphDef:
    """The same graph with a placeholder for each large constant."""
    made = GraphDef()
    made.CopyFrom(light.graph_def)
    for node in made.node:
        if node.name in light.constants:
            shape = node.attr["value"].tensor.tensor_shape
            node.op = "Placeholder"
            node.attr["shape"].shape.CopyFrom(shape)
            del node.attr["value"]
    return made


def note_origin(graph_def: GraphDef, digest: str, recurrent: str = "", article: bool = False) -> None:
    """Note in ``graph_def`` the ``.onnx`` file that it comes from, the ``RECURRENT`` and how many nodes it has.

    ``article`` is whether onnx-tf made it alone.
    It may be cut off between two nodes, and is a graph still. TensorFlow passes over attributes with such names.
    """
    for node in graph_def.node:
        if node.op == "Placeholder":
            node.attr[_ONNX_DIGEST].s = digest.encode()
            node.attr[_NODES].i = len(graph_def.node)
            if recurrent:
                node.attr[_RECURRENT].s = recurrent.encode()
            if article:
                node.attr[_ARTICLE].b = True
            return


def onnx_digest(graph_def: GraphDef) -> str:
    """The digest that ``note_origin`` noted, or an empty string."""
    return _noted(graph_def, _ONNX_DIGEST)


def recurrent(graph_def: GraphDef) -> str:
    """The ``RECURRENT`` that ``note_origin`` noted, or an empty string: the rule."""
    return _noted(graph_def, _RECURRENT)


def is_articles(graph_def: GraphDef) -> bool:
    """Whether ``note_origin`` noted that onnx-tf made it alone."""
    return any(_ARTICLE in node.attr for node in graph_def.node)


def _noted(graph_def: GraphDef, key: str) -> str:
    return next((node.attr[key].s.decode("ascii", "replace") for node in graph_def.node if key in node.attr), "")


def to_bytes(graph_def: GraphDef) -> bytes:
    """The graph as bytes that depend on nothing but the graph."""
    return graph_def.SerializeToString(deterministic=True)


def put_in_order(graph_def: GraphDef, inputs: List[str], outputs: List[str]) -> None:
    """Move, in place, ``inputs`` to the front and ``outputs`` to the end: a ``.pb`` has no other place for their order.

    A copy of the graph would be one more of its weights; so in ``keep_reachable``.
    """
    ranks = {name: rank - len(inputs) for rank, name in enumerate(inputs)}
    ranks.update((name, rank + 1) for rank, name in enumerate(outputs))
    graph_def.node.sort(key=lambda node: ranks.get(node.name, 0))


def keep_reachable(graph_def: GraphDef, names: List[str]) -> None:
    """Remove, in place, the nodes that none of the nodes ``names`` depends on."""
    nodes = {node.name: node for node in graph_def.node}
    reached: Set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(source.split(":")[0].lstrip("^") for source in nodes[name].input)
    remove(graph_def, {name for name in nodes if name not in reached})


def remove(graph_def: GraphDef, names: Set[str]) -> None:
    """Remove, in place, the nodes ``names``."""
    for position in reversed(range(len(graph_def.node))):
        if graph_def.node[position].name in names:
            del graph_def.node[position]


def input_names(graph_def: GraphDef) -> List[str]:
    """The placeholders, in the file's order."""
    return [node.name for node in graph_def.node if node.op == "Placeholder"]


def output_names(graph_def: GraphDef) -> List[str]:
    """The nodes that no other node reads, in the file's order."""
    read = {name.split(":")[0].lstrip("^") for node in graph_def.node for name in node.input}
    leaves = [node for node in graph_def.node if node.name not in read]
    return [node.name for node in leaves if node.op not in ("Const", "Placeholder", "NoOp")]
