"""Small models of opsets that the pinned ONNX can write though not check, and what they compute once lowered."""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from ferry.graph.newer_opsets import lower_model


def model(
    nodes: Sequence[onnx.NodeProto],
    feeds: Dict[str, np.ndarray],
    opset: int,
    constants: Optional[Dict[str, np.ndarray]] = None,
    outputs: Optional[List[str]] = None,
    ir_version: int = 10,
) -> onnx.ModelProto:
    """A model of ``opset`` whose inputs are ``feeds``; its outputs say neither type nor shape but float."""
    names = outputs or [nodes[-1].output[0]]
    graph = helper.make_graph(
        list(nodes),
        "test",
        [
            helper.make_tensor_value_info(name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)
            for name, array in feeds.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = ir_version
    return made


def lowered(made: onnx.ModelProto, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """What ``made`` computes of ``feeds`` once it is lowered, in place, and ONNX's checker has passed it."""
    lower_model.lower(made)
    onnx.checker.check_model(made)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    return session.run(None, {each.name: feeds[each.name] for each in session.get_inputs()})


def computed(
    operator: str,
    opset: int,
    feeds: Dict[str, np.ndarray],
    constants: Optional[Dict[str, np.ndarray]] = None,
    outputs: int = 1,
    inputs: Optional[List[str]] = None,
    element: int = TensorProto.FLOAT,
    **attributes: Any,
) -> List[np.ndarray]:
    """The outputs of one node, lowered; its inputs are ``feeds`` and then ``constants``, unless ``inputs`` says."""
    names = [f"out{position}" for position in range(outputs)]
    node = helper.make_node(operator, inputs or [*feeds, *(constants or {})], names, name="it", **attributes)
    made = model([node], feeds, opset, constants, names)
    for info in made.graph.output:
        info.type.tensor_type.elem_type = element
    return lowered(made, feeds)


def normal(seed: int, *shape: int) -> np.ndarray:
    """Seeded float32 values of N(0, 1)."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def assert_close(made: np.ndarray, expected: np.ndarray) -> None:
    """Assert equality to float32's rounding, measured against the largest value."""
    assert made.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(float(finite.max()), 1e-3) if finite.size else 1.0
    np.testing.assert_allclose(made, expected, rtol=0, atol=3e-6 * scale)
