"""PyTorch: the reference that the other runtimes are measured against."""

import copy
from typing import List

import numpy as np
import torch

from ferry import model_file, tensor_names
from ferry.runtimes import Runtime, TensorSpec


class PytorchRuntime(Runtime):
    """The model in the model file ``path``, in eval mode, in float32, on the CPU."""

    def __init__(self, path: str):
        torch.set_num_threads(1)
        self._path = path
        self._wide = False
        self._model = model_file.load(path)
        self.example_inputs = [tensor.numpy() for tensor in self._model.example_inputs]
        examples = [tensor.detach().numpy() for tensor in self._model.example_outputs]
        self.inputs = _specs(tensor_names.input_names(len(self.example_inputs)), self.example_inputs)
        self.outputs = _specs(tensor_names.output_names(len(examples)), examples)

    def in_float64(self) -> "PytorchRuntime":
        """The same model computing in float64, float inputs widened. It raises where the module cannot do so."""
        wide = copy.copy(self)
        wide._model = self._model._replace(module=copy.deepcopy(self._model.module).double())
        wide._wide = True
        return wide

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        with torch.no_grad():
            made = self._model.module(*(self._tensor(array) for array in arrays))
        return [tensor.detach().numpy().copy() for tensor in model_file.tensors_in(self._path, made)]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        # A forward may work in place, and other runtimes read the same array.
        tensor = torch.from_numpy(array.copy())
        return tensor.double() if self._wide and tensor.is_floating_point() else tensor


def _specs(names: List[str], arrays: List[np.ndarray]) -> List[TensorSpec]:
    return [TensorSpec(name, array.shape, array.dtype) for name, array in zip(names, arrays)]
