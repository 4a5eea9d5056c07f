"""A model whose module cannot run in float64: its trace can, where the casts in it are raised."""

import contextlib
from typing import Iterator, List

import numpy as np
import torch

from ferry.model.model_file import PytorchModel
from ferry.runtimes import Runtime
from ferry.runtimes.raised_trace import raised, wide


class TracedFloat64(Runtime):
    """The trace of ``model`` on its example inputs, in float64. The module itself stays as it is.

    What is computed is what Python did on the example. Whoever runs it has to see to it that the model does the same
    on other inputs. Opening it raises whatever PyTorch does where there is no such trace.
    """

    def __init__(self, model: PytorchModel):
        if isinstance(model.module, torch.jit.ScriptModule):
            raise NotImplementedError("TorchScript is not traced again")
        inputs = tuple(tensor.clone() for tensor in model.example_inputs)
        with torch.no_grad(), _without_history(model.module):
            graph = torch.jit._get_trace_graph(model.module, inputs)[0]
        torch._C._jit_pass_inline(graph)
        self._function = torch._C._create_function_from_graph("traced", raised(graph))
        self._weights = [wide(tensor) for tensor in torch.jit._unique_state_dict(model.module).values()]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        tensors = [wide(torch.from_numpy(np.array(array))) for array in arrays]
        with torch.no_grad():
            # A forward may work in place on what it is given, a weight among them.
            made = self._function(*tensors, *(weight.clone() for weight in self._weights))
        outputs = made if isinstance(made, (tuple, list)) else [made]
        return [tensor.detach().numpy().copy() for tensor in outputs]


@contextlib.contextmanager
def _without_history(module: torch.nn.Module) -> Iterator[None]:
    """A tensor that is no parameter and was computed from one cannot be a constant of a trace: detached it can."""
    kept = [
        (part, name, value)
        for part in module.modules()
        for name, value in vars(part).items()
        if isinstance(value, torch.Tensor) and value.requires_grad
    ]
    try:
        for part, name, value in kept:
            setattr(part, name, value.detach())
        yield
    finally:
        for part, name, value in kept:
            setattr(part, name, value)
