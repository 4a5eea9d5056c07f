"""An ONNX model to a frozen TensorFlow graph in NHWC: the passes over the graph, then the lowerings."""

import onnx
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.frozen import frozen_graph
from ferry.frozen.share_constants import share_constants
from ferry.frozen.unusable_graph import refuse_unusable
from ferry.graph.from_onnx import from_onnx
from ferry.graph.graph import Graph
from ferry.graph.pass_list import PASSES, REWRITING
from ferry.graph.pass_manager import PassManager
from ferry.graph.to_onnx import to_onnx
from ferry.lowering import graph_builder


def convert(model: onnx.ModelProto, layout: str = "nchw", take_over: bool = False) -> GraphDef:
    """Convert ``model``; its inputs come first in the result and its outputs last, each in the model's order.

    ``layout`` is that of its float inputs and outputs of four dimensions, ``nchw`` or ``nhwc``; inside it is NHWC.
    ``take_over`` is whether the weights may be taken out of ``model``, which is not used any more.

    Raises:
        UnsupportedModelError: something in the model has no TensorFlow form on the pinned versions.
        PassError: a pass failed, which is a fault in Ferry.
    """
    graph = prepared_graph(model, take_over)
    inputs, outputs = [value.name for value in graph.inputs], [value.name for value in graph.outputs]
    built = graph_builder.build_graph(graph, layout)
    del graph  # TensorFlow makes two more copies of the weights.
    graph_def = built.as_graph_def()
    # An input that nothing reads is still one that callers feed.
    frozen_graph.keep_reachable(graph_def, [*inputs, *outputs])
    refuse_unusable(graph_def)
    share_constants(graph_def)
    frozen_graph.put_in_order(graph_def, inputs, outputs)
    return graph_def


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
