"""Run PyTorch's ONNX exporter."""

import functools
import io
from typing import List, Tuple, Union

import onnx
import torch
from torch.onnx import symbolic_registry

from ferry import tensor_names
from ferry.errors import UnsupportedModelError
from ferry.model_file import PytorchModel
from ferry.onnx_graph import interface

# onnx-tf 1.6.0 is complete up to opset 11; what 12 adds it knows in part.
OPSET = 11


def to_onnx(model: PytorchModel) -> onnx.ModelProto:
    """Return ``model`` as a checked ONNX model whose inputs and outputs are named as ``tensor_names`` says.

    Raises:
        UnsupportedModelError: PyTorch 1.5.1 has no ONNX form for something in the model.
    """
    _list_symbolics_once()
    buffer = io.BytesIO()
    inputs = tensor_names.input_names(len(model.example_inputs))
    outputs = tensor_names.output_names(len(model.example_outputs))
    try:
        torch.onnx.export(
            model.module,
            model.example_inputs,
            buffer,
            input_names=inputs,
            output_names=outputs,
            example_outputs=_as_returned(model.example_outputs),
            opset_version=OPSET,
            keep_initializers_as_inputs=False,
        )
    except Exception as error:  # The exporter raises RuntimeError, TypeError, IndexError, … for what it lacks.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UnsupportedModelError(
            f"PyTorch {torch.__version__} cannot export this model to ONNX: {reason}"
        ) from error
    made = onnx.load_model_from_string(buffer.getvalue())
    interface.settle(made, inputs, outputs)
    onnx.checker.check_model(made)
    return made


def _as_returned(outputs: List[torch.Tensor]) -> Union[torch.Tensor, Tuple[torch.Tensor, ...]]:
    # Only the export of a scripted module asks for them.
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _list_symbolics_once() -> None:
    # The exporter inspects its three modules of symbolic functions anew for each of a model's operators, which takes
    # a third of the whole export of MobileNetV2.
    if not hasattr(symbolic_registry.get_ops_in_version, "cache_info"):
        symbolic_registry.get_ops_in_version = functools.lru_cache(maxsize=None)(symbolic_registry.get_ops_in_version)
