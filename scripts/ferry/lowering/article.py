"""An ONNX model to a frozen TensorFlow graph as the 2020 article did it: by onnx-tf 1.6.0 alone, to compare with."""

import os
import tempfile

import onnx
import onnx_tf.backend
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from ferry.errors import UnsupportedModelError, foreign_errors
from ferry.frozen import frozen_graph
from ferry.graph.input_output_names import fed_names
from ferry.lowering import graph_builder


def convert(model: onnx.ModelProto) -> GraphDef:
    """Convert ``model`` with onnx-tf's own ``prepare()`` and ``export_graph()``, and none of Ferry's passes.

    Its inputs come first in the result and its outputs last, as in ``convert_onnx.convert``. The machine's GPU and
    random names are kept out of it too, so that the bytes are the same on each run.

    Raises:
        UnsupportedModelError: onnx-tf does not convert something in the model.
    """
    graph_builder.pin_onnx_tf()
    inputs, outputs = fed_names(model.graph), [entry.name for entry in model.graph.output]
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = os.path.join(folder, "model.pb")
        # onnx-tf raises RuntimeError, TypeError, KeyError, … for what it lacks.
        with foreign_errors("onnx-tf alone cannot convert this model to TensorFlow", "onnx_tf", "tensorflow"):
            onnx_tf.backend.prepare(model).export_graph(path)
        with open(path, "rb") as file:
            graph_def = GraphDef.FromString(file.read())
    lost = sorted({*inputs, *outputs} - {node.name for node in graph_def.node})
    if lost:
        raise UnsupportedModelError(f"onnx-tf alone loses the names of inputs or outputs: {', '.join(lost)}")
    used = tf.compat.v1.graph_util.extract_sub_graph(graph_def, [*inputs, *outputs])
    frozen_graph.put_in_order(used, inputs, outputs)
    return used
