"""Build the TensorFlow graph of an ONNX model, the same on every machine."""

import itertools
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import onnx
import tensorflow as tf
from onnx_tf.backend import TensorflowBackend
from onnx_tf.common import data_type
from onnx_tf.pb_wrapper import OnnxNode

from ferry.errors import UnsupportedModelError, foreign_errors
from ferry.frozen import made_for
from ferry.frozen.light_graph import LightGraph
from ferry.frozen.unusable_graph import refuse_output
from ferry.graph.graph import Graph
from ferry.graph.integer_ranges import integer_ranges
from ferry.graph.layout_analysis import read_channels_last
from ferry.graph.onnx_node import described
from ferry.graph.to_onnx import node_to_onnx, opset_imports, value_to_onnx
from ferry.lowering import large_constants
from ferry.lowering.declined import Declined
from ferry.lowering.node import Node
from ferry.lowering.operators import lowerings_of
from ferry.lowering.recurrence import Recurrence
from ferry.lowering.tensors import Made, NoSuchTensor, Tensors, same_layout, to_last

# onnx-tf's own: by domain and operator.
Handlers = Dict[str, Dict[str, Any]]


def build_graph(onnx_graph: Graph, layout: str = "nchw", recurrence: Optional[Recurrence] = None) -> LightGraph:
    """The definition of the TensorFlow graph of ``onnx_graph``; see ``build_tensors``."""
    with large_constants.kept_aside() as arrays:
        graph, _ = build_tensors(onnx_graph, layout, recurrence)
    graph_def = graph.as_graph_def()
    made_for.note(graph_def, graph)
    return large_constants.light(graph_def, arrays)


def build_tensors(
    onnx_graph: Graph, layout: str = "nchw", recurrence: Optional[Recurrence] = None
) -> Tuple[tf.Graph, Tensors]:
    """Build the TensorFlow graph of ``onnx_graph``, with its inputs and outputs under their ONNX names.

    The graph knows of each operator which ONNX node it was built for; see :mod:`made_for`. The constants of
    ``onnx_graph`` are rounded to their dtypes, and the result holds them without a copy.

    Returned with it is what each ONNX tensor became in it. ``layout`` is that of its float inputs and outputs of four
    dimensions: ``nchw``, as in ONNX, or ``nhwc``. ``recurrence`` says which recurrent layers are fused.

    Each node goes to Ferry's lowering for its operator first, then to onnx-tf's own handler.

    Raises:
        UnsupportedModelError: an operator, or a form of one, that neither Ferry nor onnx-tf 1.6.0 converts.
    """
    pin_onnx_tf()
    recurrence = recurrence or Recurrence()
    recurrence.count(onnx_graph)
    handlers: Handlers = TensorflowBackend._get_handlers(opset_imports(onnx_graph))
    with tf.Graph().as_default() as graph:
        for value in onnx_graph.outputs:
            # Whatever else would take an output's name gets another one.
            graph.unique_name(value.name)
        tensors = Tensors(_rounded(onnx_graph), recurrence, integer_ranges(onnx_graph))
        _add_inputs(onnx_graph, layout, tensors)
        made_for.note_built(graph, None)
        for node in onnx_graph:
            proto = node_to_onnx(node)
            for name, made in zip(proto.output, _lower(proto, tensors, onnx_graph.opset, handlers)):
                tensors[name] = made
            made_for.note_built(graph, proto)
        _add_outputs(onnx_graph, layout, tensors)
    return graph, tensors


def _add_inputs(onnx_graph: Graph, layout: str, tensors: Tensors) -> None:
    channels_last = read_channels_last(onnx_graph)
    for value in onnx_graph.inputs:
        info = value_to_onnx(value)
        last = layout == "nhwc" and _is_image(info)
        tensors[value.name] = same_layout(last, _placeholder(info, last))
        if value in channels_last:
            tensors.move_last(value.name)
    if not onnx_graph.inputs:
        raise UnsupportedModelError("the model has no inputs: what it computes is a constant")


def _add_outputs(onnx_graph: Graph, layout: str, tensors: Tensors) -> None:
    for value in onnx_graph.outputs:
        info = value_to_onnx(value)
        last = layout == "nhwc" and _is_image(info)
        output = tensors.last(info.name) if last else tensors[info.name]
        maker = f", which {described(node_to_onnx(value.producer))} makes," if value.producer else ""
        # The slash asks TensorFlow for the very name that was kept free.
        refuse_output(f"{info.name!r}{maker}", tf.identity(output, name=f"{info.name}/"))


def pin_onnx_tf() -> None:
    """Take the machine and chance out of onnx-tf.

    Its ``supports_device`` asks TensorFlow whether a GPU is visible and, if so, bakes NCHW convolutions that no CPU
    can run; its ``get_unique_suffix`` names recurrent layers at random.
    """
    counter = itertools.count()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] != "onnx_tf":
            continue
        # Each module holds a reference of its own to these two functions.
        if "supports_device" in vars(module):
            vars(module)["supports_device"] = _is_cpu
        if "get_unique_suffix" in vars(module):
            vars(module)["get_unique_suffix"] = lambda: f"{next(counter):08d}"


def _rounded(graph: Graph) -> Dict[str, np.ndarray]:
    """The constants by name, in the model's dtypes; what they were in float64 is gone."""
    for value in graph.constants:
        value.set_constant(value.rounded())
    return {value.name: value.array for value in graph.constants}


def _is_cpu(device: str) -> bool:
    return device == "CPU"


def _is_image(info: onnx.ValueInfoProto) -> bool:
    tensor = info.type.tensor_type
    return len(tensor.shape.dim) == 4 and data_type.onnx2tf(tensor.elem_type).is_floating


def _placeholder(info: onnx.ValueInfoProto, last: bool) -> tf.Tensor:
    if info.type.WhichOneof("value") != "tensor_type":
        raise UnsupportedModelError(f"the input {info.name!r} is not a tensor")
    tensor = info.type.tensor_type
    if any(dim.HasField("dim_value") and dim.dim_value == 0 for dim in tensor.shape.dim):
        raise UnsupportedModelError(f"the input {info.name!r} has no elements: one of its dimensions is 0")
    shape = [dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim]
    if last:
        shape = [shape[axis] for axis in to_last(len(shape))]
    return tf.compat.v1.placeholder(data_type.onnx2tf(tensor.elem_type), shape, name=info.name)


def _lower(node: onnx.NodeProto, tensors: Tensors, opset: int, handlers: Handlers) -> List[Made]:
    """What the first of Ferry's lowerings that takes ``node`` makes of it, or onnx-tf's handler."""
    what = f"{described(node)} cannot be converted to TensorFlow"
    declined = None
    for lowering in lowerings_of(node.op_type) if node.domain in ("", "ai.onnx") else []:
        with foreign_errors(f"{what}: TensorFlow {tf.__version__} refuses it", "tensorflow"):
            made = lowering(Node(node, opset), tensors)
        if not isinstance(made, Declined):
            return made
        declined = made
        if declined.onnx_tf_differs:
            raise UnsupportedModelError(f"{what}: {declined.reason}")
    return _lowered_by_onnx_tf(node, tensors, handlers, what, declined)


def _lowered_by_onnx_tf(
    node: onnx.NodeProto, tensors: Tensors, handlers: Handlers, what: str, declined: Optional[Declined]
) -> List[Made]:
    """What onnx-tf makes of ``node``. Where it fails too, the user reads why Ferry's lowering declined, if one did."""
    try:
        if node.domain not in handlers:
            raise UnsupportedModelError(f"{what}: it is of the domain {node.domain!r}, not one of ONNX's own")
        with foreign_errors(f"{what}: onnx-tf 1.6.0 refuses it", "onnx_tf", "tensorflow"):
            return TensorflowBackend._onnx_node_to_tensorflow_op(OnnxNode(node), tensors, handlers)
    except (UnsupportedModelError, NoSuchTensor) as error:
        if declined is not None:
            raise UnsupportedModelError(f"{what}: {declined.reason}") from error
        if isinstance(error, NoSuchTensor):
            # onnx-tf looks for an input that the node leaves out.
            raise UnsupportedModelError(f"{what}: onnx-tf 1.6.0 asks for an input that it does not have") from error
        raise
