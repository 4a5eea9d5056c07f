"""The reference of a model that came as ONNX: the graph in float64, where every operator of it is known."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.model.model_source import ModelSource
from ferry.runtimes.onnx_reference import OnnxReference

pytestmark = pytest.mark.fast


def _written(path, nodes, constants=None):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 512]) for name in ("x", "y")]
    weights = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    onnx.save(model, str(path))
    return OnnxReference(ModelSource(str(path), "", ""))


def test_float64_is_more_exact_than_float32(tmp_path):
    """What cancels in float32 is there in float64."""
    shift = np.full([1, 512], 4096.0, np.float32)
    nodes = [helper.make_node("Add", ["x", "c"], ["a"]), helper.make_node("Sub", ["a", "c"], ["y"])]
    narrow = _written(tmp_path / "m.onnx", nodes, {"c": shift})
    wide = narrow.in_float64()
    x = np.random.RandomState(1).standard_normal((1, 512)).astype(np.float32)
    (made,), (rounded,) = wide.run([x]), narrow.run([x])
    assert made.dtype == np.float64
    assert np.abs(made - x).max() < 1e-11 < 1e-5 < np.abs(rounded - x).max()
    assert [spec.name for spec in wide.outputs] == ["y"]


def test_an_operator_that_is_not_known_is_named(tmp_path):
    narrow = _written(tmp_path / "m.onnx", [helper.make_node("Shrink", ["x"], ["y"])])
    with pytest.raises(NotImplementedError, match="Ferry cannot evaluate Shrink in float64"):
        narrow.in_float64()
