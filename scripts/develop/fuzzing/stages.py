"""The stages that read a file, with their libraries imported, as functions of the file, the target and the log."""

import sys
from types import ModuleType
from typing import Callable, Dict

import onnx_to_tf
import tf_to_tflite

from ferry.frozen import frozen_graph  # noqa: F401
from ferry.graph import consistency, onnx_file  # noqa: F401
from ferry.lowering import article, convert_onnx  # noqa: F401
from ferry.tflite import converter, flatbuffer  # noqa: F401


def _program(module: ModuleType) -> Callable[[str, str, str], int]:
    """The program itself, with the defaults of its other options."""

    def run(source: str, target: str, log: str) -> int:
        sys.argv[1:] = ["--input", source, "--output", target, "--log", log]
        return module.main()

    return run


STAGES: Dict[str, Callable[[str, str, str], int]] = {
    module.__name__: _program(module) for module in (onnx_to_tf, tf_to_tflite)
}
