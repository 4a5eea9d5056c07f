"""What TensorFlow and TFLite compute for a small ONNX model, once converted."""

from typing import Dict, List, Optional

import numpy as np
import onnx
import tensorflow as tf

from ferry.frozen import frozen_graph
from ferry.lowering import convert_onnx
from ferry.lowering.recurrence import Recurrence
from ferry.tflite import converter
from onnx_models import run_onnx


def run_graph(graph_def: tf.compat.v1.GraphDef, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """A frozen graph's outputs as TensorFlow computes them on the CPU."""
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        names = [f"{name}:0" for name in frozen_graph.output_names(graph_def)]
        return session.run(names, {f"{name}:0": array for name, array in feeds.items()})


def run_tflite(data: bytes, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """A TFLite model's outputs."""
    interpreter = tf.lite.Interpreter(model_content=data)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], feeds[detail["name"]])
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def assert_converted(
    model: onnx.ModelProto, feeds: Dict[str, np.ndarray], recurrence: Optional[Recurrence] = None
) -> bytes:
    """Assert that TensorFlow and TFLite compute what ONNX Runtime does, to float32's rounding; return the TFLite model.

    Rounding is measured against the output's own largest value: a sum of n products is off by some of those.
    """
    expected = run_onnx(model, feeds)
    graph_def = convert_onnx.convert(model, recurrence=recurrence)
    data = converter.convert(graph_def)
    for computed in (run_graph(graph_def, feeds), run_tflite(data, feeds)):
        assert len(computed) == len(expected)
        for made, wanted in zip(computed, expected):
            assert made.shape == wanted.shape
            assert made.dtype == wanted.dtype
            scale = max(float(np.abs(wanted).max()), 1e-3) if wanted.size else 1.0
            np.testing.assert_allclose(made, wanted, rtol=0, atol=2e-6 * scale)
    return data
