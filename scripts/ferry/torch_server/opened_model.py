"""One model, opened in this interpreter's PyTorch: what it is asked over the pipe, a method each.

Each takes the arrays of the question and its arguments, and returns what is said and the arrays of the answer.
"""

import importlib.metadata
import platform
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch

from ferry.errors import FerryError, first_line
from ferry.model import files_read, model_file
from ferry.runtimes import TensorSpec
from ferry.runtimes.pytorch_runtime import PytorchRuntime
from ferry.torch_server import onnx_exporter
from ferry.verify import code_digest, own_inputs

Answer = Tuple[Dict[str, Any], Sequence[np.ndarray]]
# Those that decide what is exported and what the reference computes.
PACKAGES = ("torch", "onnx", "onnxscript", "onnx-ir", "numpy")


class OpenedModel:
    """Nothing at first; ``load`` opens a model for an export, ``run_in`` one that computes references."""

    def __init__(self) -> None:
        self._path = ""
        self._runtime: Optional[PytorchRuntime] = None
        self._wide: Optional[PytorchRuntime] = None

    def environment(self, _arrays: Sequence[np.ndarray]) -> Answer:
        """The versions of Python and of the packages that matter here; a package that is not here is left out."""
        versions = {"python": platform.python_version()}
        for name in PACKAGES:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        # The metadata of a build for one device may lack the part that says so.
        versions["torch"] = torch.__version__
        return {"versions": versions}, []

    def export(self, _arrays: Sequence[np.ndarray], path: str, weights: str, input_shape: str, output: str) -> Answer:
        """Export the model ``path`` to ``output``; what its maker should know, and what the tensors are named."""
        torch.set_num_threads(1)
        model = model_file.load(path, weights, input_shape)
        remarks = ["the model was in training mode; it is exported in eval mode"] if model.was_training else []
        remarks += [f"{renaming}, since TensorFlow takes no other" for renaming in model.renamed]
        remarks += model.dropped
        remarks += onnx_exporter.export(model, path, output)
        return {"remarks": remarks, "inputs": model.input_names, "outputs": model.output_names}, []

    def read(self, _arrays: Sequence[np.ndarray], given: Dict[str, str]) -> Answer:
        """What has been read; the values of ``given`` are left out."""
        return {"read": files_read.report(given)}, []

    def open(self, _arrays: Sequence[np.ndarray], path: str, weights: str, input_shape: str) -> Answer:
        """Open the model as a reference: its tensors, digests of its weights and its code, and example inputs."""
        self._path = path
        self._runtime = runtime = PytorchRuntime(path, weights, input_shape)
        said = {
            "inputs": _described(runtime.inputs),
            "outputs": _described(runtime.outputs),
            "weights": runtime.weights_digest(),
            "code": code_digest.of(path),
        }
        return said, runtime.example_inputs

    def widen(self, _arrays: Sequence[np.ndarray]) -> Answer:
        """Open it in float64 too; ``reason`` says why not, where that cannot be done."""
        assert self._runtime is not None
        try:
            self._wide = self._runtime.in_float64()
        except Exception as error:  # Whatever the user's module raises when it is asked for float64.
            return {"reason": f"{type(error).__name__}: {first_line(error)}"}, []
        return {"reason": None}, []

    def run(self, arrays: List[np.ndarray], wide: bool) -> Answer:
        """One inference; ``raised`` says what the model raised, where it did."""
        runtime = self._wide if wide else self._runtime
        assert runtime is not None
        try:
            return {}, runtime.run(arrays)
        except FerryError:
            raise
        except Exception as error:  # Whatever the user's module raises.
            return {"raised": f"{type(error).__name__}: {first_line(error)}"}, []

    def own_inputs(self, _arrays: Sequence[np.ndarray], given: str, limit: int, folder: str) -> Answer:
        """What the model file's own functions give, written to ``folder``; empty where it has none for that."""
        assert self._runtime is not None
        stored = own_inputs.stored(self._path, given, self._runtime.inputs, limit, folder)
        return ({} if stored is None else {"stored": stored.as_json()}), []


def _described(specs: Sequence[TensorSpec]) -> List[Dict[str, Any]]:
    return [{"name": spec.name, "shape": list(spec.shape), "dtype": np.dtype(spec.dtype).str} for spec in specs]
