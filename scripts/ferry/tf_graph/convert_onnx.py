"""An ONNX model to a frozen TensorFlow graph in NHWC: the passes, in order."""

import onnx
import tensorflow as tf

from ferry.onnx_graph.fold_batch_norm import fold_batch_norm
from ferry.onnx_graph.fold_constants import fold_constants
from ferry.onnx_graph.valid_names import make_names_valid
from ferry.tf_graph import backend, frozen_graph, nhwc


def convert(model: onnx.ModelProto) -> tf.compat.v1.GraphDef:
    """Convert ``model``; its inputs come first in the result and its outputs last, each in the model's order.

    Raises:
        UnsupportedModelError: something in the model has no TensorFlow form on the pinned versions.
    """
    model = fold_constants(model)
    fold_batch_norm(model)
    make_names_valid(model)
    outputs = [entry.name for entry in model.graph.output]
    graph_def = nhwc.to_nhwc(backend.build_graph(model), outputs)
    return frozen_graph.in_order(graph_def, backend.input_names(model), outputs)
