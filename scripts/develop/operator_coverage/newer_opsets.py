"""The newest onnx's own tests of its operators, written in the terms of opset 12 and run: do they compute the same?"""

import os
from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from develop.operator_coverage.differences import RELATIVE, differences
from ferry.errors import FerryError, UnsupportedModelError, first_line
from ferry.graph.newer_opsets import lower_model, narrow_floats
from ferry.graph.newer_opsets.tensor_types import TARGET_OPSET
from ferry.graph.onnx_file import opset_of
from ferry.graph.onnx_runtime_errors import REFUSALS

# By element type: what is expected was computed in it, and what is made is not.
ROUNDING = {onnx.TensorProto.FLOAT16: 4e-3, onnx.TensorProto.BFLOAT16: 3e-2}
# What ONNX Runtime 1.4 computes otherwise of an operator that is handed to it as it is. Ferry's lowerings are others.
_ITS_OWN = "ONNX Runtime 1.4 computes it otherwise, and the node is unchanged"
DISPUTED = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad": "its data are rounded to four digits",
    "test_convinteger_with_padding": _ITS_OWN,
    "test_convtranspose_autopad_same": "ONNX 1.7 infers another shape for it, and the node is unchanged",
    "test_l2normalization_axis_0": "of a vector of zeros it now makes zeros, and no number before",
    "test_maxunpool_export_with_output_shape": _ITS_OWN,
    "test_resize_downsample_scales_cubic_align_corners": "its data contradict its text, as in ONNX 1.7",
    "test_resize_downsample_scales_linear_align_corners": "its data contradict its text, as in ONNX 1.7",
    "test_reversesequence_batch": _ITS_OWN,
    "test_roialign_aligned_false": _ITS_OWN,
    **{
        f"test_training_dropout{form}": "it draws random numbers" for form in ("", "_mask", "_default", "_default_mask")
    },
}
RIGHT, NO_KERNEL, REFUSED, WRONG = "right", "no kernel", "refused", "WRONG"


class Result(NamedTuple):
    """What became of the test ``name`` of ``operator``; ``reason`` is why it is not right."""

    name: str
    operator: str
    opset: int
    outcome: str
    reason: str = ""


class Case(NamedTuple):
    """A test as the pinned onnx reads it: half floats are raised already in what is fed and what is expected."""

    model: onnx.ModelProto
    feeds: Dict[str, np.ndarray]
    expected: List[np.ndarray]
    relative: float


def tests_in(folder: str) -> List[str]:
    """The folders below ``folder`` with a test of ONNX's own operators in an opset newer than 12."""
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    return [path for path in paths if _is_newer(_model(path))]


def _is_newer(model: onnx.ModelProto) -> bool:
    return opset_of(model) > TARGET_OPSET and all(node.domain == "" for node in model.graph.node)


def judge(folder: str) -> Result:
    """Lower the test in ``folder``, all inputs fed; where that is refused, with all but the first, or all, constant."""
    model = _model(folder)
    name, opset = os.path.basename(folder), opset_of(model)
    kinds = {node.op_type for node in model.graph.node}
    operator = next(iter(kinds)) if len(kinds) == 1 else "(several)"
    if name in DISPUTED:
        return Result(name, operator, opset, NO_KERNEL, DISPUTED[name])
    for fed in (len(model.graph.input), 1, 0):
        outcome, reason = _outcome(folder, fed)
        if outcome in (RIGHT, WRONG):
            break
    return Result(name, operator, opset, outcome, reason)


def _outcome(folder: str, fed: int) -> Tuple[str, str]:
    try:
        case = _case(folder, fed)
        lower_model.lower(case.model)
    except FerryError as error:
        return REFUSED, str(error)
    try:
        onnx.checker.check_model(case.model)
    except onnx.checker.ValidationError as error:
        return WRONG, f"what was written is no valid model: {first_line(error)}"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(case.model.SerializeToString(), options)
        made = session.run(None, {each.name: case.feeds[each.name] for each in session.get_inputs()})
    except REFUSALS as error:
        # It has none, or falls back on a function's body and cannot infer that one's types.
        lacking = "NOT_IMPLEMENTED" in str(error) or "FunctionImpl" in str(error)
        return NO_KERNEL if lacking else WRONG, f"ONNX Runtime: {first_line(error)}"
    difference = differences([np.asarray(array) for array in made], case.expected, case.relative)
    return (WRONG, difference) if difference else (RIGHT, "")


def _model(folder: str) -> onnx.ModelProto:
    return onnx.load(os.path.join(folder, "model.onnx"))


def _case(folder: str, fed: int) -> Case:
    model = _model(folder)
    types = {attribute.i for node in model.graph.node for attribute in node.attribute if attribute.HasField("i")}
    relative = max([RELATIVE] + [ROUNDING[each] for each in types & set(ROUNDING)])
    arrays: Dict[str, List[np.ndarray]] = {"input": [], "output": []}
    for role, found in arrays.items():
        for tensor in iter(lambda: _tensor(os.path.join(folder, f"{role}_{len(found)}.pb")), None):  # noqa: B023
            relative = max(relative, ROUNDING.get(tensor.data_type, 0))
            found.append(_array(tensor, role))
    feeds = dict(zip((info.name for info in model.graph.input), arrays["input"]))
    for info in list(model.graph.input)[fed:]:
        model.graph.initializer.append(numpy_helper.from_array(feeds.pop(info.name), info.name))
        model.graph.input.remove(info)
    return Case(model, feeds, arrays["output"], relative)


def _array(tensor: onnx.TensorProto, role: str) -> np.ndarray:
    if tensor.data_type in narrow_floats.TOO_NARROW:
        raise UnsupportedModelError(f"an {role} is of type {narrow_floats.TOO_NARROW[tensor.data_type]}")
    narrow = tensor.data_type in narrow_floats.NARROW
    return narrow_floats.array_of(tensor) if narrow else numpy_helper.to_array(tensor)


def _tensor(path: str) -> Optional[onnx.TensorProto]:
    if not os.path.exists(path):
        return None
    with open(path, "rb") as file:
        return onnx.load_tensor_from_string(file.read())
