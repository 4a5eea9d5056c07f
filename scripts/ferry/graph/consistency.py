"""Whether a model's types and shapes fit together, which ONNX's checker does not ask: ONNX Runtime says."""

import onnx
import onnxruntime
from onnx import numpy_helper, shape_inference
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

from ferry import forked_call
from ferry.errors import InputFileError, UnsupportedModelError, first_line
from ferry.graph import schema
from ferry.graph.onnx_file import opset_of
from ferry.graph.onnx_node import described
from ferry.graph.onnx_runtime_errors import REFUSALS
from ferry.graph.shapes import skeleton

# What ONNX Runtime says of an operator that it lacks, which is no fault of the model.
LACKING = ("not a registered function/op", "Exception during initialization")

# Of processor time: 10,000 nodes take 0.2. A damaged model, as with pads of 2 ** 62, keeps the inference busy for ever.
MOST_SECONDS = 10

# The shape inference of ONNX 1.7 crashes on odd forms of these, and with it ONNX Runtime. Nothing converts them.
CRASHING = ("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss", "SplitToSequence")


def check(path: str, model: onnx.ModelProto) -> None:
    """Raise InputFileError if ``model``, read from ``path``, has a tensor without its data or nodes that do not fit.

    The passes and the lowerings rely on this: what they meet later and cannot make sense of is a fault in Ferry. The
    weights are left out of what ONNX Runtime is given, so that it costs the same for a model of any size.
    """
    _check_nodes(path, model)
    for node in model.graph.node:
        if node.op_type in CRASHING:
            raise UnsupportedModelError(
                f"{described(node)} cannot be converted to TensorFlow: nothing at hand has a form for it"
            )
    for entry in model.graph.initializer:
        try:
            numpy_helper.to_array(entry)
        except (ValueError, TypeError, KeyError) as error:
            raise InputFileError(f"{path}: the initializer {entry.name!r} is damaged: {first_line(error)}") from error
    try:
        reason = forked_call.call(_refusal, skeleton(model), seconds=MOST_SECONDS)
    except forked_call.CallEnded as ended:
        raise InputFileError(
            f"{path} is not a valid ONNX model: the inference of its types and shapes by ONNX Runtime "
            f"{onnxruntime.__version__} {ended}"
        ) from ended
    if reason:
        raise InputFileError(f"{path} is not a valid ONNX model: {reason}")


def _refusal(bare: onnx.ModelProto) -> str:
    """Why ONNX Runtime, or ONNX's own inference, refuses ``bare``; empty if neither does. Either may crash."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(bare.SerializeToString(), options)
    except NoKernel:
        # It lacks the operator, or the operator's types.
        pass
    except REFUSALS as error:
        reason = first_line(error)
        if not any(words in reason for words in LACKING):
            return reason
    # It crashes on some models that ONNX Runtime refuses, so it comes last.
    try:
        shape_inference.infer_shapes(bare)
    except RuntimeError as error:  # As pybind11 raises what C++ throws.
        return first_line(error)
    return ""


def _check_nodes(path: str, model: onnx.ModelProto) -> None:
    graph, opset = model.graph, opset_of(model)
    # Protobuf hands out as bytes what is no text, and takes none back. ONNX Runtime crashes on an empty constant.
    names = [graph.name, *(entry.name for entry in (*graph.input, *graph.output, *graph.initializer))]
    for node in graph.node:
        if node.op_type == "Constant" and len(node.attribute) != 1:
            raise InputFileError(f"{path} is not a valid ONNX model: the Constant {node.output[0]!r} has no value")
        if "" in node.input and schema.takes_any_number(node.op_type, opset):
            raise InputFileError(f"{path} is not a valid ONNX model: {described(node)} has an input without a name")
        names += [node.name, node.op_type, node.domain, *node.input, *node.output]
    wrong = next((name for name in names if isinstance(name, bytes)), None)
    if wrong is not None:
        raise InputFileError(f"{path} is not a valid ONNX model: the name {wrong!r} is no text")
