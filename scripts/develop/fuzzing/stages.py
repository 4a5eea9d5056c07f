"""The stages that read a file, with their libraries imported, as functions of the file, the target and the log."""

from argparse import Namespace
from typing import Callable, Dict

import onnx_to_tf
import tf_to_tflite

from ferry import stage
from ferry.frozen import frozen_graph  # noqa: F401
from ferry.graph import consistency, onnx_file  # noqa: F401
from ferry.lowering import article, convert_onnx  # noqa: F401
from ferry.tflite import converter, flatbuffer  # noqa: F401


def _onnx_to_tf(source: str, target: str, log: str) -> int:
    arguments = Namespace(input=source, output=target, log=log, graph="ferry", layout="nchw")
    return stage.run("onnx_to_tf", arguments, target, onnx_to_tf.convert)


def _tf_to_tflite(source: str, target: str, log: str) -> int:
    arguments = Namespace(input=source, output=target, log=log, flex="allow")
    return stage.run("tf_to_tflite", arguments, target, tf_to_tflite.convert)


STAGES: Dict[str, Callable[[str, str, str], int]] = {"onnx_to_tf": _onnx_to_tf, "tf_to_tflite": _tf_to_tflite}
