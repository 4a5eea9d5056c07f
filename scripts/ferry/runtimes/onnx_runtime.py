"""ONNX Runtime: does the exported ``.onnx`` compute what PyTorch does?"""

import re
from typing import List, Optional

import numpy as np
import onnx
import onnxruntime

from ferry.errors import UnsupportedModelError
from ferry.graph import onnx_file
from ferry.graph.onnx_runtime_errors import REFUSALS
from ferry.runtimes import Runtime, TensorSpec


class OnnxRuntime(Runtime):
    """The ONNX model in ``path``, or ``model``, where it has been read from there already."""

    def __init__(self, path: str, model: Optional[onnx.ModelProto] = None):
        # A path is read by ONNX Runtime itself: a model's bytes would be one more copy of its weights.
        given = path if model is None else model.SerializeToString()
        model = model or onnx_file.load(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(given, options)
        except REFUSALS as error:
            raise UnsupportedModelError(f"ONNX Runtime cannot run {path}: {_reason(error)}") from error
        self.inputs = [_spec(info) for info in model.graph.input if info.name in self._names()]
        self.outputs = [_spec(info) for info in model.graph.output]

    def _names(self) -> List[str]:
        return [entry.name for entry in self._session.get_inputs()]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        # One of no dimensions may be NumPy's scalar, which ONNX Runtime does not take.
        feeds = {spec.name: np.asarray(array) for spec, array in zip(self.inputs, arrays)}
        return self._session.run([spec.name for spec in self.outputs], feeds)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    lacking = re.search(r"Could not find an implementation for the node (\S*?)[:(]*(\w+)\((\d+)\)", text)
    if lacking:
        return f"it has no kernel for {lacking.group(2)} of opset {lacking.group(3)} on tensors of this dtype"
    return text


def _spec(info: onnx.ValueInfoProto) -> TensorSpec:
    tensor = info.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
    return TensorSpec(info.name, shape, np.dtype(onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[tensor.elem_type]))
