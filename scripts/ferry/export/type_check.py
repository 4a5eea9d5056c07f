"""Whether what was exported is a graph that ONNX Runtime takes, and if not, which line of the user's is at fault."""

import re
from typing import Dict, Optional

import onnx
import onnxruntime

from ferry.export.export_watch import Place
from ferry.graph.onnx_runtime_errors import REFUSALS

# Larger initializers become inputs: nothing that a type depends on is as large.
LARGE_BYTES = 1 << 16
# ONNX Runtime names the node it stops at in one of these ways.
_NODE = re.compile(r"in node \((\S+?)\)|for the node (\S+?):|Node \((\S+?)\)|node with name '(\S+?)'|Node:(\S+)")
_NOISE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : (This is an invalid model\. )?(Error: )?")


class Mistyped(Exception):
    """The graph is not one that ONNX Runtime takes; ``place`` is the operator that it stops at, where it names one."""

    def __init__(self, reason: str, place: Optional[Place]):
        super().__init__(reason)
        self.place = place


def check(model: onnx.ModelProto, lines: Dict[str, str]) -> None:
    """Have ONNX Runtime infer the types of ``model`` and look for its kernels.

    Raises:
        Mistyped: it refuses the model.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(_without_weights(model).SerializeToString(), options)
    except REFUSALS as error:
        text = " ".join(str(error).split())
        found = _NODE.search(text)
        name = next(filter(None, found.groups()), "") if found else ""
        operator = next((node.op_type for node in model.graph.node if node.name == name), "")
        place = Place(operator, lines.get(name, "")) if operator else None
        raise Mistyped(_NOISE.sub("", text), place) from error


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    light = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    light.graph.name = model.graph.name
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    for entry in model.graph.initializer:
        if len(entry.raw_data) < LARGE_BYTES:
            light.graph.initializer.append(entry)
        else:
            light.graph.input.append(onnx.helper.make_tensor_value_info(entry.name, entry.data_type, list(entry.dims)))
    return light
