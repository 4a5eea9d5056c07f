"""PyTorch: the reference that the other runtimes are measured against."""

import contextlib
import copy
import hashlib
import io
from typing import Iterator, List

import numpy as np
import torch

from ferry.export.patches import float64_convolution
from ferry.model import model_file
from ferry.runtimes import Runtime, TensorSpec
from ferry.runtimes.traced_float64 import TracedFloat64


class PytorchRuntime(Runtime):
    """The model in the model file ``path``, in eval mode, in float32, on the CPU; ``model_file.load`` says the rest."""

    def __init__(self, path: str, weights: str = "", input_shape: str = ""):
        torch.set_num_threads(1)
        self._path = path
        self._wide = False
        self._model = model_file.load(path, weights, input_shape)
        self.example_inputs = [tensor.numpy() for tensor in self._model.example_inputs]
        examples = [tensor.detach().numpy() for tensor in self._model.example_outputs]
        self.inputs = _specs(self._model.input_names, self.example_inputs)
        self.outputs = _specs(self._model.output_names, examples)

    def in_float64(self) -> "PytorchRuntime":
        """The same model computing in float64, float inputs widened. It raises where the module cannot do so."""
        wide = copy.copy(self)
        module = _copied(self._model.module).double()
        for part in [] if isinstance(module, torch.jit.ScriptModule) else module.modules():
            # A tensor that is neither a parameter nor a buffer is none that double() sees.
            for name, value in list(vars(part).items()):
                if isinstance(value, torch.Tensor) and value.is_floating_point():
                    setattr(part, name, value.double())
        wide._model = self._model._replace(module=module)
        wide._wide = True
        return wide

    def traced_in_float64(self) -> TracedFloat64:
        """Its trace in float64. It raises where there is none that can be run."""
        return TracedFloat64(self._model)

    def weights_digest(self) -> str:
        """A digest of the parameters and buffers, names and all."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.module.state_dict().items()):
            array = tensor.detach().cpu().contiguous().numpy()
            digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        with torch.no_grad(), _float64_throughout() if self._wide else contextlib.nullcontext():
            made = self._model.module(*(self._tensor(array) for array in arrays))
        return [tensor.detach().numpy().copy() for tensor in model_file.tensors_in(self._path, made)]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        # A forward may work in place, and other runtimes read the same array. One of no dimensions may be a scalar.
        tensor = torch.from_numpy(np.array(array))
        return tensor.double() if self._wide and tensor.is_floating_point() else tensor


@contextlib.contextmanager
def _float64_throughout() -> Iterator[None]:
    # What a forward makes with torch.ones() or the like is then in float64 too.
    kind = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with float64_convolution.used():
            yield
    finally:
        torch.set_default_dtype(kind)


def _copied(module: torch.nn.Module) -> torch.nn.Module:
    if not isinstance(module, torch.jit.ScriptModule):
        return copy.deepcopy(module)
    # PyTorch 1.5.1 cannot copy a scripted module otherwise.
    stored = io.BytesIO()
    torch.jit.save(module, stored)
    return torch.jit.load(io.BytesIO(stored.getvalue()))


def _specs(names: List[str], arrays: List[np.ndarray]) -> List[TensorSpec]:
    return [TensorSpec(name, array.shape, array.dtype) for name, array in zip(names, arrays)]
