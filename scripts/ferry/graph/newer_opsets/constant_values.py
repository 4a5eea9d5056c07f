"""The values of tensors that depend on no input, and of shapes that are known, computed once by ONNX Runtime."""

from typing import Dict, List, Optional

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ferry.graph.newer_opsets.tensor_types import TARGET_OPSET, TensorType
from ferry.graph.onnx_runtime_errors import REFUSALS

IR_VERSION = 7
# A chain of shape arithmetic is short; one longer than this computes something else.
LONGEST_CHAIN = 500


def evaluate(
    name: str,
    producers: Dict[str, onnx.NodeProto],
    initializers: Dict[str, onnx.TensorProto],
    types: Dict[str, TensorType],
) -> Optional[np.ndarray]:
    """The value of the tensor ``name``; None where it depends on an input's values, or on a shape that is not known."""
    nodes: List[onnx.NodeProto] = []
    needed: Dict[str, onnx.TensorProto] = {}
    waiting, seen = [name], set()
    while waiting:
        wanted = waiting.pop()
        if wanted in seen or not wanted:
            continue
        seen.add(wanted)
        if wanted in initializers:
            needed[wanted] = initializers[wanted]
            continue
        producer = producers.get(wanted)
        if producer is None or len(nodes) > LONGEST_CHAIN or any(entry.HasField("g") for entry in producer.attribute):
            return None
        known_shape = _known_shape(producer, types)
        if known_shape is not None:
            needed[wanted] = numpy_helper.from_array(known_shape, wanted)
            continue
        nodes.append(producer)
        waiting.extend(producer.input)
    return _run(name, nodes, needed, list(producers.values()))


def _known_shape(node: onnx.NodeProto, types: Dict[str, TensorType]) -> Optional[np.ndarray]:
    shape = types.get(node.input[0], TensorType()).shape if node.op_type in ("Shape", "Size") and node.input else None
    if shape is None or None in shape:
        return None
    dims = np.array(shape, np.int64)
    return dims if node.op_type == "Shape" else np.array(dims.prod(), np.int64)


def _run(
    name: str, nodes: List[onnx.NodeProto], needed: Dict[str, onnx.TensorProto], order: List[onnx.NodeProto]
) -> Optional[np.ndarray]:
    if not nodes:
        return numpy_helper.to_array(needed[name])
    if any(tensor.data_type == TensorProto.STRING for tensor in needed.values()):
        return None
    chosen = {id(node) for node in nodes}
    ordered = {id(node): node for node in order if id(node) in chosen}
    graph = helper.make_graph(
        list(ordered.values()), "constant", [], [onnx.ValueInfoProto(name=name)], initializer=list(needed.values())
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", TARGET_OPSET)])
    model.ir_version = IR_VERSION
    try:
        # ONNX Runtime 1.4 crashes on some nodes that lack what they must have.
        for node in nodes:
            onnx.checker.check_node(node)
    except onnx.checker.ValidationError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return np.asarray(onnxruntime.InferenceSession(model.SerializeToString(), options).run([name], {})[0])
    except REFUSALS:  # It has no kernel for this, so the value stays unknown.
        return None
