"""An ONNX model to a frozen TensorFlow graph in NHWC: the passes over the graph, then the lowerings."""

from typing import Optional

import onnx
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph, function_names
from ferry.frozen.light_graph import LightGraph
from ferry.frozen.share_constants import share_constants
from ferry.frozen.unusable_graph import refuse_unusable
from ferry.graph.from_onnx import from_onnx
from ferry.graph.graph import Graph
from ferry.graph.pass_list import PASSES, REWRITING
from ferry.graph.pass_manager import PassManager
from ferry.graph.to_onnx import to_onnx
from ferry.lowering import graph_builder
from ferry.lowering.recurrence import Recurrence


def convert(model: onnx.ModelProto, layout: str = "nchw", recurrence: Optional[Recurrence] = None) -> GraphDef:
    """:func:`convert_light` with the constants in the graph. The input model is left as it was."""
    return convert_light(model, layout, recurrence=recurrence).whole()


def convert_light(
    model: onnx.ModelProto, layout: str = "nchw", take_over: bool = False, recurrence: Optional[Recurrence] = None
) -> LightGraph:
    """Convert ``model``; its inputs come first in the result and its outputs last, each in the model's order.

    ``layout`` is that of its float inputs and outputs of four dimensions, ``nchw`` or ``nhwc``; inside it is NHWC.
    ``take_over`` is whether the weights may be taken out of ``model``, which is not used any more. ``recurrence`` says
    which recurrent layers are fused, and is told which are not.

    Raises:
        UnsupportedModelError: something in the model has no TensorFlow form on the pinned versions.
        PassError: a pass failed, which is a fault in Ferry.
    """
    graph = prepared_graph(model, take_over)
    inputs, outputs = [value.name for value in graph.inputs], [value.name for value in graph.outputs]
    graph_def, constants = graph_builder.build_graph(graph, layout, recurrence)
    # An input that nothing reads is still one that callers feed.
    frozen_graph.keep_reachable(graph_def, [*inputs, *outputs])
    refuse_unusable(graph_def)
    share_constants(graph_def, constants)
    function_names.number(graph_def)
    frozen_graph.put_in_order(graph_def, inputs, outputs)
    return LightGraph(graph_def, {node.name: constants[node.name] for node in graph_def.node if node.name in constants})


def prepared_graph(model: onnx.ModelProto, take_over: bool = False) -> Graph:
    """``model`` as the lowerings are given it: rewritten, and under names that TensorFlow takes."""
    graph = from_onnx(model, take_over)
    PassManager(PASSES).run(graph)
    return graph


def prepare(model: onnx.ModelProto) -> onnx.ModelProto:
    """:func:`prepared_graph` as a model of ONNX. The input model is left as it was."""
    return to_onnx(prepared_graph(model))


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with everything folded that can be, under its own names. The input model is left as it was."""
    graph = from_onnx(model)
    PassManager(REWRITING).run(graph)
    return to_onnx(graph)
