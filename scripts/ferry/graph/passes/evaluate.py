"""Compute constant nodes in ONNX Runtime."""

from typing import Dict, Optional, Sequence, Set

import numpy as np
import onnxruntime
from onnx import helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.onnx_runtime_errors import REFUSALS
from ferry.graph.to_onnx import array_to_onnx, node_to_onnx, opset_imports

# Larger constants are fed, which takes no copy; smaller ones are part of the program, as some kernels want them.
LARGEST_IN_PROGRAM = 1 << 16


def evaluate(
    graph: Graph, nodes: Sequence[Node], failed: Set[Node], wanted: Optional[Sequence[Value]] = None
) -> Dict[Value, np.ndarray]:
    """The values ``wanted``, or all, of what ``nodes`` make from constants and from one another.

    They are computed in one session. Only if ONNX Runtime cannot compute one of them, each is tried alone; those that
    fail, and those that depend on one, are added to ``failed`` and have no values. It has no kernel for some dtypes.
    """
    able = []
    for node in nodes:
        if node in failed or any(value is not None and value.producer in failed for value in node.inputs):
            failed.add(node)
        else:
            able.append(node)
    made = [value for node in able for value in node.outputs if value is not None]
    wanted = made if wanted is None else [value for value in wanted if value.producer not in failed]
    if not wanted:
        return {}
    try:
        return _run(graph, able, {}, wanted)
    except _RuntimeFailure:
        pass
    found: Dict[Value, np.ndarray] = {}
    for node in able:
        outputs = [value for value in node.outputs if value is not None]
        try:
            found.update(_run(graph, [node], found, outputs))
        except _RuntimeFailure:
            failed.add(node)
    return {value: found[value] for value in wanted if value in found}


class _RuntimeFailure(Exception):
    """ONNX Runtime refused the nodes."""


def _run(
    graph: Graph, nodes: Sequence[Node], known: Dict[Value, np.ndarray], wanted: Sequence[Value]
) -> Dict[Value, np.ndarray]:
    inside = {value for node in nodes for value in node.outputs}
    read = dict.fromkeys(value for node in nodes for value in node.inputs if value is not None and value not in inside)
    if any(value not in known and not value.is_constant for value in read):
        raise _RuntimeFailure("one that it reads could not be computed")
    feeds = {value: known[value] if value in known else value.rounded() for value in read}
    fed = {value: array for value, array in feeds.items() if array.nbytes > LARGEST_IN_PROGRAM}
    program = helper.make_model(
        helper.make_graph(
            [node_to_onnx(node) for node in nodes],
            "constants",
            [
                helper.make_tensor_value_info(value.name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)
                for value, array in fed.items()
            ],
            [helper.ValueInfoProto(name=value.name) for value in wanted],
            [array_to_onnx(value.name, array) for value, array in feeds.items() if value not in fed],
        ),
        opset_imports=opset_imports(graph),
    )
    program.ir_version = max(graph.ir_version, 4)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(program.SerializeToString(), options)
        arrays = session.run(
            [value.name for value in wanted], {value.name: np.ascontiguousarray(array) for value, array in fed.items()}
        )
    except REFUSALS as error:
        raise _RuntimeFailure(str(error)) from error
    return dict(zip(wanted, map(np.asarray, arrays)))
