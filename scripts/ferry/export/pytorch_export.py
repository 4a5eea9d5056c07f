"""Run PyTorch's ONNX exporter."""

import os
import tempfile
import traceback
from typing import List, NamedTuple, Optional, Set, Tuple, Union

import onnx
import torch

from ferry.errors import UnsupportedModelError, first_line
from ferry.export import export_watch, source_lines, symbolics, type_check
from ferry.export.export_result import Exported
from ferry.export.export_watch import Place, Watch
from ferry.export.patches import (
    assignments,
    inline_functions,
    python_sizes,
    scripted_functions,
    strided_gathers,
    symbolics_listed_once,
)
from ferry.graph import input_output_names, onnx_pieces
from ferry.model.model_file import PytorchModel

# onnx-tf 1.6.0 is complete up to opset 11; what 12 adds it knows in part, and Ferry lowers itself.
OPSETS = (11, 12)
# What a named operator can be written with instead; for the others the advice is a general one.
INSTEAD = {
    "fft": "compute it before the model, or as a product with a constant matrix",
    "replication_pad2d": "pad with mode='constant' or 'reflect'",
    "svd": "compute it before the model",
}


def to_onnx(model: PytorchModel) -> onnx.ModelProto:
    """``export(model)`` without the remarks."""
    return export(model).model


def export(model: PytorchModel) -> Exported:
    """Return ``model`` as a checked ONNX model whose inputs and outputs have the model's own names.

    Raises:
        UnsupportedModelError: PyTorch 1.5.1 has no ONNX form for something in the model, or what it has would not
            compute the same: dropout or batch norm in training mode, an output that does not depend on the input.
    """
    install()
    symbolics.register(OPSETS)
    attempts: List[Attempt] = []
    for opset in OPSETS:
        attempts.append(_in_opset(opset, model))
        if not attempts[-1].failure:
            break
    attempt = attempts[-1]
    if attempt.failure and not _lacking(attempts[0]) - _lacking(attempt):
        # What opset 12 lacks too is said of opset 11, which has been tried first.
        attempt = attempts[0]
    if attempt.made is None or attempt.failure:
        raise UnsupportedModelError(attempt.failure) from attempt.error
    made = attempt.made
    input_output_names.set_names(made, model.input_names, model.output_names)
    onnx_pieces.check(made)
    return Exported(made, _remarks(attempt.watch))


def install() -> None:
    """Make the changes to PyTorch that last. A model file must find them when it is imported."""
    symbolics_listed_once.install()
    inline_functions.install()
    scripted_functions.install()


class Attempt(NamedTuple):
    """What came of an export to one opset: a model or ``failure``, a sentence that says why there is none."""

    made: Optional[onnx.ModelProto]
    failure: str
    error: Optional[Exception]
    watch: Watch


def _lacking(attempt: Attempt) -> Set[str]:
    """The operators that the exporter has no form for."""
    return {place.operator for place in attempt.watch.unsupported}


def _in_opset(opset: int, model: PytorchModel) -> Attempt:
    with export_watch.watching() as watch, tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        path = os.path.join(folder, "model.onnx")
        try:
            with python_sizes.used(), strided_gathers.used(), assignments.used():
                _run_exporter(opset, model, path)
        except Exception as error:  # The exporter raises RuntimeError, TypeError, IndexError, … for what it lacks.
            # Values of this graph that its frames hold would be taken for the next attempt's, at the same addresses.
            traceback.clear_frames(error.__traceback__)
            return Attempt(None, _unsupported(watch, error), error, watch)
        failure = _unsupported(watch, None)
        if failure:
            return Attempt(None, failure, None, watch)
        made = onnx.load(path)
    lines = source_lines.note_lines(made)
    try:
        type_check.check(made, lines)
    except type_check.Mistyped as error:
        where = f" at {_named(error.place)}" if error.place else ""
        failure = f"PyTorch {torch.__version__} exports this model to an ONNX graph that is not valid{where}: {error}"
        return Attempt(None, failure, error, watch)
    return Attempt(made, "", None, watch)


def _run_exporter(opset: int, model: PytorchModel, path: str) -> None:
    torch.onnx.export(
        _frozen(model.module),
        model.example_inputs,
        # A buffer, and the exporter's own check, would each hold the weights once more.
        path,
        enable_onnx_checker=False,
        input_names=model.input_names,
        output_names=model.output_names,
        example_outputs=_as_returned(model.example_outputs),
        opset_version=opset,
        keep_initializers_as_inputs=False,
        # source_lines reads the user's lines there.
        strip_doc_string=False,
    )


def _unsupported(watch: Watch, failure: Union[Exception, None]) -> str:
    if watch.training:
        return (
            f"the model computes in training mode what eval() does not reach: {_listed(watch.training)}; hand it "
            "training=self.training, or use the module (nn.Dropout, nn.BatchNorm2d) instead of the function"
        )
    lacking = watch.unsupported
    if lacking:
        advice = [INSTEAD[each.operator] for each, _ in export_watch.counted(lacking) if each.operator in INSTEAD]
        return f"PyTorch {torch.__version__} has no form in ONNX for {_listed(lacking)}: " + (
            "; ".join(advice) or "write it with other operators, or compute it outside the model"
        )
    if failure is None:
        return ""
    where = f" at {_named(watch.failed)}" if watch.failed else ""
    return f"PyTorch {torch.__version__} cannot export this model to ONNX{where}: {first_line(failure)}"


def _remarks(watch: Watch) -> List[str]:
    remarks = [
        f"{line}: Python reads a value that depends on the input; what the example input gave is kept for every input"
        for line in _lines(watch.read_values)
    ]
    remarks += [
        f"{line}: {operator} makes a tensor whose size depends on values; TFLite's shapes are static"
        for operator, line in dict.fromkeys(watch.shaped_by_values)
    ]
    remarks += [
        f"{line}: {operator} changes in place a tensor that others share, which a trace can lose; write to a copy"
        for operator, line in dict.fromkeys(watch.in_place)
    ]
    return remarks


def _lines(places: List[Place]) -> List[str]:
    return list(dict.fromkeys(each.line for each in places))


def _listed(places: List[Place]) -> str:
    return ", ".join(_named(first, times) for first, times in export_watch.counted(places))


def _named(first: Place, times: int = 1) -> str:
    often = f"{times} times, first " if times > 1 else ""
    return f"{first.operator} ({often}{first.line})" if first.line else f"{first.operator} ({times})"


def _as_returned(outputs: List[torch.Tensor]) -> Union[torch.Tensor, Tuple[torch.Tensor, ...]]:
    # Only the export of a scripted module asks for them.
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _frozen(module: torch.nn.Module) -> torch.nn.Module:
    if not isinstance(module, torch.jit.ScriptModule):
        return module
    # Else what a scripted module does in training alone, a batch norm's counting, is exported as a branch.
    return torch.jit._recursive.wrap_cpp_module(torch._C._freeze_module(module._c))
