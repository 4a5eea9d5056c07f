"""Run PyTorch's ONNX exporter."""

import functools
import io

import torch
from torch.onnx import symbolic_registry

from ferry import tensor_names
from ferry.errors import UnsupportedModelError
from ferry.model_file import PytorchModel

# onnx-tf 1.6.0 is complete up to opset 11; what 12 adds it knows in part.
OPSET = 11


def to_onnx(model: PytorchModel) -> bytes:
    """Return ``model`` as a serialised ONNX model whose tensors are named as ``tensor_names`` says.

    Raises:
        UnsupportedModelError: PyTorch 1.5.1 has no ONNX form for something in the model.
    """
    _list_symbolics_once()
    buffer = io.BytesIO()
    try:
        torch.onnx.export(
            model.module,
            model.example_inputs,
            buffer,
            input_names=tensor_names.input_names(len(model.example_inputs)),
            output_names=tensor_names.output_names(len(model.example_outputs)),
            opset_version=OPSET,
            keep_initializers_as_inputs=False,
        )
    except Exception as error:  # The exporter raises RuntimeError, TypeError, IndexError, … for what it lacks.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UnsupportedModelError(
            f"PyTorch {torch.__version__} cannot export this model to ONNX: {reason}"
        ) from error
    return buffer.getvalue()


def _list_symbolics_once() -> None:
    # The exporter inspects its three modules of symbolic functions anew for each of a model's operators, which takes
    # a third of the whole export of MobileNetV2.
    if not hasattr(symbolic_registry.get_ops_in_version, "cache_info"):
        symbolic_registry.get_ops_in_version = functools.lru_cache(maxsize=None)(symbolic_registry.get_ops_in_version)
