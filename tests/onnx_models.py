"""Small ONNX models, and their outputs in ONNX Runtime."""

from typing import Callable, Dict, List, Optional

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from ferry.graph.from_onnx import from_onnx
from ferry.graph.graph import Graph
from ferry.graph.pass_manager import Pass, PassManager
from ferry.graph.to_onnx import to_onnx

OPSET = 11


def model_of(
    nodes: List[onnx.NodeProto],
    inputs: Dict[str, List[int]],
    constants: Optional[Dict[str, np.ndarray]] = None,
    outputs: Optional[List[str]] = None,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A model with float32 ``inputs`` of the given shapes, and the given initializers; its outputs' shapes follow."""
    names = outputs or [nodes[-1].output[0]]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in names],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 6
    made = run_onnx(model, {name: np.zeros(shape, np.float32) for name, shape in inputs.items()})
    for info, output in zip(model.graph.output, made):
        info.CopyFrom(helper.make_tensor_value_info(info.name, NP_TYPE_TO_TENSOR_TYPE[output.dtype], output.shape))
    onnx.checker.check_model(model)
    return model


def after_a_convolution(
    nodes: List[onnx.NodeProto], shape: List[int], constants=None, more_inputs=None, **options
) -> onnx.ModelProto:
    """A model in which the first node's first input is what a convolution computes from the input ``x``: channels last.

    ``nodes`` read the tensor ``x``; the model's input, of the same ``shape``, is named ``x`` too.
    """
    channels = shape[1]
    for node in nodes:
        for position, name in enumerate(node.input):
            if name == "x":
                node.input[position] = "made_last"
    conv = helper.make_node("Conv", ["x", "mix"], ["made_last"], name="mix", kernel_shape=[1] * (len(shape) - 2))
    mix = normal(99, channels, channels, *[1] * (len(shape) - 2))
    return model_of([conv, *nodes], {"x": shape, **(more_inputs or {})}, {"mix": mix, **(constants or {})}, **options)


def both_layouts(node: onnx.NodeProto, shape: List[int], constants=None, **options) -> List[onnx.ModelProto]:
    """The node on an input as ONNX lays it out and, where its rank has channels, on one made channels-last."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    models = [model_of([node], {"x": shape}, constants, **options)]
    if len(shape) in (3, 4):
        models.append(after_a_convolution([copy], shape, constants, **options))
    return models


def run_onnx(model: onnx.ModelProto, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """The model's outputs as ONNX Runtime computes them."""
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)


def rewrite(model: onnx.ModelProto, run: Callable[[Graph], bool]) -> bool:
    """Run one graph pass on ``model``, in place, check the graph that it leaves, and return what the pass says."""
    graph = from_onnx(model)
    before = to_onnx(graph)
    changed = PassManager([Pass(run, "alone")], check=True).run(graph)
    model.CopyFrom(to_onnx(graph))
    onnx.checker.check_model(model)
    assert changed == (model.SerializeToString() != before.SerializeToString())
    return changed


def assert_rewritten(model: onnx.ModelProto, run: Callable[[Graph], bool], feeds: Dict[str, np.ndarray]) -> List[str]:
    """Assert that the graph pass ``run`` leaves a valid model that computes the same; return its operators."""
    expected = run_onnx(model, feeds)
    rewrite(model, run)
    for made, wanted in zip(run_onnx(model, feeds), expected):
        assert made.shape == wanted.shape
        scale = max(float(np.abs(wanted).max()), 1e-3)
        np.testing.assert_allclose(made, wanted, rtol=0, atol=2e-6 * scale)
    return [node.op_type for node in model.graph.node]


def normal(seed: int, *shape: int) -> np.ndarray:
    """Seeded float32 values of N(0, 1)."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def local_response_norm(
    source: str, target: str, constants: Dict[str, np.ndarray], size: int = 3
) -> List[onnx.NodeProto]:
    """The nodes that PyTorch exports of a local response norm of (N, C, H, W); ``constants`` gets theirs."""
    before, after = size // 2, (size - 1) // 2
    constants.update(
        lrn_widths=np.array([0, 0, before, 0, 0, 0, 0, after, 0, 0], np.int64),
        alpha=np.array(0.3, np.float32), bias=np.array(2.0, np.float32), beta=np.array(0.75, np.float32),
    )  # fmt: skip
    node = helper.make_node
    return [
        node("Mul", [source, source], ["square"]),
        node("Unsqueeze", ["square"], ["five"], axes=[1]),
        node("Pad", ["five", "lrn_widths"], ["wide"]),
        node("AveragePool", ["wide"], ["means"], kernel_shape=[size, 1, 1], strides=[1, 1, 1]),
        node("Squeeze", ["means"], ["four"], axes=[1]),
        node("Mul", ["four", "alpha"], ["times"]),
        node("Add", ["times", "bias"], ["sum"]),
        node("Pow", ["sum", "beta"], ["root"]),
        node("Div", [source, "root"], [target], name=target),
    ]
