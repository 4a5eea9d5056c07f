"""Forms that PyTorch 1.5.1 lacks, in one model: what TFLite computes of them is what PyTorch does."""

import numpy as np

from converted import run_tflite
from ferry.export import pytorch_export
from ferry.lowering import convert_onnx
from ferry.model import model_file
from ferry.tflite import converter

MODEL = """\
import torch
from torch import nn
from torch.nn import functional as F
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x); return x * x.sigmoid()
swish = Swish.apply
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.c = nn.Conv2d(3, 8, 3, padding=1)
    def forward(self, x):
        y = swish(self.c(x))
        p = F.adaptive_avg_pool2d(y, (3, 5))
        m = F.adaptive_max_pool2d(y, (3, 5))
        r = torch.roll(y, (1, -2), (2, 3)) + F.interpolate(p, scale_factor=1.0) .mean()
        u = F.fold(F.unfold(y, 3, padding=1, stride=2), (7, 11), 3, padding=1, stride=2)
        n = F.normalize(y.flatten(2).mean(2), dim=1)
        t = torch.triu(y, 1).sum(1) + (y > 0).any(1).float() * (y.shape[1] / 3)
        s, a = torch.std_mean(y, (2, 3))
        k = torch.repeat_interleave(n, 2, 1)
        z = torch.tensordot(n, s, dims=([1], [1]))
        return p, m, r, u, n, t, s, a, k, z, ((y > 0) & (y < 1) | (y > 2)).sum(1).float()
def get_pytorch_model():
    torch.manual_seed(0); return Net().eval()
def get_example_input(): return torch.randn(1, 3, 7, 11)
"""


def test_tflite_computes_what_pytorch_does(tmp_path):
    (tmp_path / "m.py").write_text(MODEL)
    pytorch_export.install()
    model = model_file.load(str(tmp_path / "m.py"))
    data = converter.convert(convert_onnx.convert(pytorch_export.to_onnx(model)))
    computed = run_tflite(data, {"input": model.example_inputs[0].numpy()})
    assert len(computed) == len(model.example_outputs) == 11
    for tensor, array in zip(model.example_outputs, computed):
        np.testing.assert_allclose(array, tensor.detach().numpy(), rtol=0, atol=5e-6)
