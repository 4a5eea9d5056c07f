import numpy as np
import pytest

from converted import run_tflite
from ferry.export import pytorch_export
from ferry.graph.passes.fold_local_response_norm import fold_local_response_norm
from ferry.lowering import convert_onnx
from ferry.model import model_file
from ferry.tflite import converter, flatbuffer
from onnx_models import assert_rewritten, local_response_norm, model_of, normal
from programs import write_model


def test_it_is_one_node():
    constants = {}
    model = model_of(local_response_norm("x", "y", constants), {"x": [2, 7, 4, 5]}, constants)
    assert assert_rewritten(model, fold_local_response_norm, {"x": normal(1, 2, 7, 4, 5)}) == ["LRN"]


@pytest.mark.parametrize("what", ["even", "read elsewhere", "padded with ones"])
def test_what_is_none_stays(what):
    constants = {}
    nodes = local_response_norm("x", "y", constants, size=4 if what == "even" else 3)
    outputs = ["y", "four"] if what == "read elsewhere" else ["y"]
    if what == "padded with ones":
        nodes[2].input.append("one")
        constants["one"] = np.array(1.0, np.float32)
    model = model_of(nodes, {"x": [2, 7, 4, 5]}, constants, outputs)
    assert "LRN" not in assert_rewritten(model, fold_local_response_norm, {"x": normal(1, 2, 7, 4, 5)})


def test_as_pytorch_has_it(tmp_path):
    members = "torch.manual_seed(1); self.c = nn.Conv2d(3, 8, 1); self.n = nn.LocalResponseNorm(5, 0.02, 0.6, 1.5)"
    pytorch_export.install()
    model = model_file.load(
        str(write_model(tmp_path / "m.py", "self.n(self.c(x))", "torch.randn(1, 3, 6, 7)", members))
    )
    data = converter.convert(convert_onnx.convert(pytorch_export.to_onnx(model)), allow_flex=False)
    assert flatbuffer.operators(data)["LOCAL_RESPONSE_NORMALIZATION"] == 1
    expected = model.example_outputs[0].detach().numpy()
    (computed,) = run_tflite(data, {"input": model.example_inputs[0].numpy()})
    np.testing.assert_allclose(computed, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
