"""Whether a model's types and shapes fit together, which ONNX's checker does not ask: ONNX Runtime says."""

import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, RuntimeException

from ferry.errors import InputFileError, first_line
from ferry.graph.shapes import skeleton

# What ONNX Runtime says of an operator that it lacks, which is no fault of the model.
LACKING = ("not a registered function/op", "Exception during initialization")


def check(path: str, model: onnx.ModelProto) -> None:
    """Raise InputFileError if ``model``, read from ``path``, has a tensor without its data or nodes that do not fit.

    The passes and the lowerings rely on this: what they meet later and cannot make sense of is a fault in Ferry. The
    weights are left out of what ONNX Runtime is given, so that it costs the same for a model of any size.
    """
    for entry in model.graph.initializer:
        try:
            numpy_helper.to_array(entry)
        except (ValueError, TypeError, KeyError) as error:
            raise InputFileError(f"{path}: the initializer {entry.name!r} is damaged: {first_line(error)}") from error
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(skeleton(model).SerializeToString(), options)
    except (Fail, InvalidArgument, InvalidGraph, RuntimeException) as error:
        reason = first_line(error)
        if not any(words in reason for words in LACKING):
            raise InputFileError(f"{path} is not a valid ONNX model: {reason}") from error
    except Exception as error:
        # It has no kernel for an operator, or none for the operator's types: it says so with NotImplemented.
        if type(error).__name__ != "NotImplemented":
            raise
