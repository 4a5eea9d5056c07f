"""What the exporter has no form for, or a wrong one, comes out as what PyTorch computes."""

import numpy as np
import pytest

from ferry.export import pytorch_export
from ferry.model import model_file
from onnx_models import run_onnx
from programs import write_model

NORM = "self.n = nn.InstanceNorm2d(3, affine={}, track_running_stats={})"
SETTINGS = "; self.n.running_mean.fill_(0.7); self.n.running_var.fill_(3.0)"


@pytest.mark.parametrize(
    ("members", "forward", "example", "operators"),
    [
        (NORM.format(False, True) + SETTINGS, "self.n(x)", "torch.randn(2, 3, 8, 8)", ["BatchNormalization"]),
        (NORM.format(True, True) + SETTINGS, "self.n(x)", "torch.randn(2, 3, 8, 8)", ["BatchNormalization"]),
        (NORM.format(True, False), "self.n(x)", "torch.randn(2, 3, 8, 8)", ["InstanceNormalization"]),
        ("self.l = torch.nn.utils.spectral_norm(nn.Linear(3, 5))", "self.l(x)", "torch.randn(2, 3)", None),
        ("self.v = nn.Parameter(torch.randn(4))", "torch.mv(x, self.v)", "torch.randn(3, 4)", ["MatMul"]),
    ],
)
def test_it_computes_what_pytorch_does(tmp_path, members, forward, example, operators):
    model = model_file.load(str(write_model(tmp_path / "m.py", forward, example, members)))
    made = pytorch_export.to_onnx(model)
    kinds = [node.op_type for node in made.graph.node if node.op_type != "Constant"]
    assert operators in (None, kinds)
    (expected,) = (tensor.detach().numpy() for tensor in model.example_outputs)
    (computed,) = run_onnx(made, {"input": model.example_inputs[0].numpy()})
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-6)
