"""Today's ONNX exporters of PyTorch: the one that is built on torch.export, and the older one where that fails.

Each exports what the other cannot. What they write is read by the pinned interpreter as any ONNX file is.
"""

import importlib.util
import inspect
import sys
import traceback
import warnings
from typing import Any, List

import torch

from ferry.errors import UnsupportedModelError
from ferry.model.model_file import PytorchModel

# The newest that the older exporter of PyTorch 2.0 has, and one in which the newer needs no function of its own.
OLDER_OPSET, DYNAMO_OPSET = 17, 18
PACKAGES = ("onnx", "onnxscript")


def export(model: PytorchModel, path: str, output: str) -> List[str]:
    """Write ``model``, of the model file ``path``, to ``output``; return what its maker should know.

    Raises:
        UnsupportedModelError: neither exporter can.
    """
    version = torch.__version__
    reasons = []
    for name, opset, exporter in (("dynamo", DYNAMO_OPSET, _by_dynamo), ("older", OLDER_OPSET, _by_trace)):
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exporter(model, opset, output)
        except Exception as error:  # An exporter raises whatever a model of any kind leads it to.
            traceback.print_exc(file=sys.stderr)
            reasons.append(_reason(error, path))
            continue
        said = [f"exported by PyTorch {version}'s {name} exporter, opset {opset}"]
        if reasons:
            said.append(f"its dynamo exporter cannot: {reasons[0]}")
        return said
    lacking = [name for name in PACKAGES if not _is_there(name)]
    if lacking:
        raise UnsupportedModelError(
            f"PyTorch {version}'s exporter needs {' and '.join(lacking)}: "
            f"`{sys.executable} -m pip install {' '.join(lacking)}` installs what is missing"
        )
    raise UnsupportedModelError(
        f"PyTorch {version} cannot export this model to ONNX: {reasons[0]}; its older exporter: {reasons[1]}"
    )


def _by_dynamo(model: PytorchModel, opset: int, output: str) -> None:
    torch.onnx.export(
        model.module,
        tuple(tensor.clone() for tensor in model.example_inputs),
        output,
        input_names=model.input_names,
        output_names=model.output_names,
        opset_version=opset,
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _by_trace(model: PytorchModel, opset: int, output: str) -> None:
    options: Any = {"dynamo": False} if _takes_dynamo() else {}
    torch.onnx.export(
        model.module,
        tuple(tensor.clone() for tensor in model.example_inputs),
        output,
        input_names=model.input_names,
        output_names=model.output_names,
        opset_version=opset,
        keep_initializers_as_inputs=False,
        **options,
    )


def _takes_dynamo() -> bool:
    return "dynamo" in inspect.signature(torch.onnx.export).parameters


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _reason(error: BaseException, path: str) -> str:
    """The first cause of ``error`` in one line, with the model file's line where one is known."""
    line = 0
    while True:
        lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        line = lines[-1] if lines else line
        if error.__cause__ is None:
            break
        error = error.__cause__
    said = next((each for each in str(error).splitlines() if each.strip()), "no further message").strip()
    where = f" at line {line}" if line else ""
    return f"{type(error).__name__}{where}: {said}"
