"""Refuse a graph that was built without an error and that no caller could use."""

from typing import Callable, List, Tuple

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from ferry.errors import UnsupportedModelError
from ferry.frozen import made_for


def refuse_unusable(graph_def: GraphDef) -> None:
    """Raise UnsupportedModelError for operators that the CPU does not run, or that hold a state no file keeps."""
    nodes = made_for.onnx_nodes(graph_def)
    inner = [node for function in graph_def.library.function for node in function.node_def]
    for of_the_kind, what in KINDS:
        found = [node for node in (*graph_def.node, *inner) if of_the_kind(node)]
        stuck = [f"{node.op} {made_for.described(node.name, nodes)}" for node in found]
        if stuck:
            raise UnsupportedModelError(f"{what}: {', '.join(stuck)}")


def refuse_output(named: str, output: tf.Tensor) -> None:
    """Raise UnsupportedModelError for an output whose number of dimensions is not known, or that holds nothing.

    ``named`` is the output as the message names it.
    """
    if output.shape.rank is None:
        raise UnsupportedModelError(
            f"how many dimensions the output {named} has depends on the values of the model's inputs"
        )
    if 0 in output.shape.as_list():
        raise UnsupportedModelError(f"the output {named} has no elements: its shape is {output.shape.as_list()}")


def _in_nchw(node: NodeDef) -> bool:
    return "data_format" in node.attr and node.attr["data_format"].s.startswith((b"NCHW", b"NCDHW"))


def _holds_state(node: NodeDef) -> bool:
    return node.op in ("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "VariableV2", "Variable")


KINDS: List[Tuple[Callable[[NodeDef], bool], str]] = [
    (_in_nchw, "no CPU runs these operators, which are in NCHW"),
    (_holds_state, "onnx-tf makes variables here, whose values a frozen graph does not hold"),
]
