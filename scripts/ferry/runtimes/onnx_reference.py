"""ONNX Runtime as the reference, for a model that came as ONNX: there is no PyTorch to say what it should compute."""

import hashlib
from typing import List, NoReturn

import numpy as np

from ferry.graph import foreign, onnx_file
from ferry.model.model_source import ModelSource
from ferry.runtimes.onnx_runtime import OnnxRuntime


class OnnxReference(OnnxRuntime):
    """The ONNX model of ``source``, as it was given but for the names and shapes of its inputs and outputs."""

    def __init__(self, source: ModelSource):
        model = onnx_file.load(source.path)
        foreign.prepare(model, source.input_shape)
        super().__init__(source.path, model)
        self._digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
        self.example_inputs: List[np.ndarray] = [_example(spec.shape, spec.dtype) for spec in self.inputs]
        made = self.run(self.example_inputs)
        self.outputs = [spec._replace(shape=array.shape) for spec, array in zip(self.outputs, made)]

    def in_float64(self) -> NoReturn:
        """Raise: ONNX Runtime has no float64 kernels for most of what networks are made of."""
        raise NotImplementedError("ONNX Runtime computes in float32")

    def weights_digest(self) -> str:
        """A digest of the whole model."""
        return self._digest


def _example(shape, dtype: np.dtype) -> np.ndarray:
    made = np.zeros(shape, dtype)
    if dtype.kind != "f":
        # Integers and booleans are drawn from the range that the example spans.
        made.reshape(-1)[-1] = 1
    return made
