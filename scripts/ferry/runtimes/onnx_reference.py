"""The reference for a model that came as ONNX, where there is no PyTorch to say what it should compute.

In float32 it is ONNX Runtime; in float64, of which that has few kernels, Ferry's own evaluator.
"""

import hashlib
from typing import List

import numpy as np
import onnx

from ferry.evaluate.graph import Evaluator, lacking
from ferry.graph import foreign, onnx_pieces
from ferry.model.model_source import ModelSource
from ferry.runtimes import Runtime, TensorSpec
from ferry.runtimes.onnx_runtime import OnnxRuntime


class OnnxReference(OnnxRuntime):
    """The ONNX model of ``source``, as it was given but for the names and shapes of its inputs and outputs."""

    def __init__(self, source: ModelSource):
        model = foreign.load(source.path, source.input_shape).model
        super().__init__(source.path, model)
        self._model = model
        digest = hashlib.sha256()
        for piece in onnx_pieces.pieces(model):
            digest.update(piece)
        self._digest = digest.hexdigest()
        self.example_inputs: List[np.ndarray] = [_example(spec.shape, spec.dtype) for spec in self.inputs]
        made = self.run(self.example_inputs)
        self.outputs = [spec._replace(shape=array.shape) for spec, array in zip(self.outputs, made)]

    def in_float64(self) -> "EvaluatedOnnx":
        """The same graph in float64.

        Raises:
            NotImplementedError: it has operators that Ferry's evaluator does not know; the message names them.
        """
        unknown = lacking(self._model)
        if unknown:
            raise NotImplementedError(f"Ferry cannot evaluate {', '.join(unknown)} in float64")
        return EvaluatedOnnx(self._model, self.inputs, self.outputs)

    def weights_digest(self) -> str:
        """A digest of the whole model."""
        return self._digest


class EvaluatedOnnx(Runtime):
    """``model`` in float64: float inputs are widened, and float outputs are float64."""

    def __init__(self, model: onnx.ModelProto, inputs: List[TensorSpec], outputs: List[TensorSpec]):
        self._evaluator = Evaluator(model)
        self.inputs, self.outputs = inputs, outputs

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        names = [spec.name for spec in self.outputs]
        made = self._evaluator.run(dict(zip((spec.name for spec in self.inputs), arrays)), names)
        return [np.ascontiguousarray(made[name]) for name in names]


def _example(shape, dtype: np.dtype) -> np.ndarray:
    made = np.zeros(shape, dtype)
    if dtype.kind != "f":
        # Integers and booleans are drawn from the range that the example spans.
        made.reshape(-1)[-1] = 1
    return made
