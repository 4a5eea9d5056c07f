"""The cases: the node tests that come with the onnx package, each a model of a few nodes with inputs and outputs."""

import os
from typing import Dict, List, NamedTuple

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.backend.test import loader

from ferry.graph.onnx_file import opset_of

KINDS = ("node", "simple")
# Inputs that ONNX makes tensors and PyTorch's exporter writes as constants, by operator.
PARAMETERS: Dict[str, List[int]] = {
    "BatchNormalization": [1, 2, 3, 4],
    "Clip": [1, 2],
    "ConstantOfShape": [0],
    "Conv": [1, 2],
    "ConvInteger": [1, 2, 3],
    "ConvTranspose": [1, 2],
    "CumSum": [1],
    "DequantizeLinear": [1, 2],
    "Dropout": [1, 2],
    "Expand": [1],
    "GRU": [1, 2, 3, 4],
    "Gather": [1],
    "GatherND": [1],
    "Gemm": [1, 2],
    "InstanceNormalization": [1, 2],
    "LSTM": [1, 2, 3, 4, 7],
    "MatMul": [1],
    "MatMulInteger": [1, 2, 3],
    "MaxUnpool": [2],
    "NonMaxSuppression": [2, 3, 4],
    "OneHot": [1, 2],
    "PRelu": [1],
    "Pad": [1, 2],
    "Pow": [1],
    "QLinearConv": [1, 2, 3, 4, 5, 6, 7, 8],
    "QLinearMatMul": [1, 2, 3, 4, 5, 6, 7],
    "QuantizeLinear": [1, 2],
    "RNN": [1, 2, 3, 4],
    "Range": [0, 1, 2],
    "Reshape": [1],
    "Resize": [1, 2, 3],
    "ReverseSequence": [1],
    "Slice": [1, 2, 3, 4],
    "SplitToSequence": [1],
    "Tile": [1],
    "TopK": [1],
    "Upsample": [1],
}
# Where onnx 1.7.0's data contradict its text: they divide by a length that was not rounded down, and ONNX
# Runtime, PyTorch and later data do not. What ONNX Runtime computes is expected instead.
DISPUTED = {"resize_downsample_scales_cubic_align_corners", "resize_downsample_scales_linear_align_corners"}
SEVERAL = "(several)"
ALL_FED, PARAMETERS_CONSTANT = "all inputs fed", "parameters constant"


class Case(NamedTuple):
    """A test of ``operator`` as operator set version ``opset`` defines it; ``form`` says what is constant in it."""

    name: str
    form: str
    folder: str
    operator: str
    opset: int


class Content(NamedTuple):
    """What a case consists of: the model, what is fed to each of its inputs by name, and what must come out."""

    model: onnx.ModelProto
    feeds: Dict[str, np.ndarray]
    expected: List[np.ndarray]


def all_cases() -> List[Case]:
    """Every node test of the installed onnx package, sorted; those that have parameters also with them constant."""
    cases = []
    for kind in KINDS:
        for test in loader.load_model_tests(kind=kind):
            if test.model_dir is None:
                continue
            model = onnx.load(os.path.join(test.model_dir, "model.onnx"))
            node = _operator(model)
            case = Case(test.name[len("test_") :], ALL_FED, test.model_dir, node.op_type, _since(node, model))
            cases.append(case)
            constant = _parameters(model)
            if node.op_type != SEVERAL and 0 < len(constant) < len(model.graph.input):
                cases.append(case._replace(form=PARAMETERS_CONSTANT))
    return sorted(cases)


def load(case: Case) -> Content:
    """Read a case from its folder."""
    model = onnx.load(os.path.join(case.folder, "model.onnx"))
    data = os.path.join(case.folder, "test_data_set_0")
    feeds = {name: _tensor(data, "input", position) for position, name in enumerate(_fed(model))}
    expected = [_tensor(data, "output", position) for position in range(len(model.graph.output))]
    if case.name in DISPUTED:
        expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)
    if case.form == PARAMETERS_CONSTANT:
        for name in _parameters(model):
            model.graph.initializer.append(numpy_helper.from_array(feeds.pop(name), name))
        # Older ones want each initializer among the inputs too, as a default that a caller may override.
        model.ir_version = max(model.ir_version, 4)
        fed = [info for info in model.graph.input if info.name in feeds]
        del model.graph.input[:]
        model.graph.input.extend(fed)
    return Content(model, feeds, expected)


def _fed(model: onnx.ModelProto) -> List[str]:
    initialised = {entry.name for entry in model.graph.initializer}
    return [info.name for info in model.graph.input if info.name not in initialised]


def _tensor(folder: str, role: str, position: int) -> np.ndarray:
    with open(os.path.join(folder, f"{role}_{position}.pb"), "rb") as file:
        return numpy_helper.to_array(onnx.load_tensor_from_string(file.read()))


def _parameters(model: onnx.ModelProto) -> List[str]:
    names = [
        name
        for node in model.graph.node
        for position, name in enumerate(node.input)
        if name and position in PARAMETERS.get(node.op_type, ())
    ]
    fed = set(_fed(model))
    return [name for name in dict.fromkeys(names) if name in fed]


def _operator(model: onnx.ModelProto) -> onnx.NodeProto:
    """The one node that a case tests; one named ``SEVERAL`` where there are more."""
    nodes = [node for node in model.graph.node if node.op_type not in ("Constant", "Identity")] or model.graph.node
    return nodes[0] if len(nodes) == 1 else onnx.NodeProto(op_type=SEVERAL)


def _since(node: onnx.NodeProto, model: onnx.ModelProto) -> int:
    version = opset_of(model)
    try:
        return onnx.defs.get_schema(node.op_type, version, node.domain).since_version
    except RuntimeError:  # It has no schema of its own: SEVERAL.
        return version
