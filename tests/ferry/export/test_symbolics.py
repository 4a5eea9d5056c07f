"""What the exporter has no form for, or a wrong one, comes out as what PyTorch computes."""

import numpy as np
import pytest
import torch

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


SPECTRUM = "torch.stft(x, {}, hop_length={}, {})"
# x with some elements replaced, and used once more.
SET = "[(y, y.__setitem__({}, {}), y * 2)[2] for y in [x.clone()]][0]"
# What the model computes of its input x, and an example of x.
FORMS = {
    "normalize": ("F.normalize(x, dim=1)", "torch.randn(2, 5)"),
    "clamp_min": ("x.clamp_min(0.3) + x.clamp(max=0.1) + torch.clamp_max(x, 0.5)", "torch.randn(3, 4)"),
    "logical": (
        "(x > 0).logical_and(x < 1).logical_or((x > 2).logical_not()).logical_xor(x > -1).float()",
        "torch.randn(4, 5)",
    ),
    "bitwise": ("(((x > 0) & (x < 1)) | ~(x > -0.5) ^ (x > 0.2)).float()", "torch.randn(4, 5)"),
    "any": ("(x > 1).any(1).float() + (x > -1).all(1).float() + (x > 2).any().float()", "torch.randn(4, 5)"),
    "any that keeps": (
        "(x > 1).any(1, keepdim=True).float() * (x > -2).all(0, keepdim=True).float()",
        "torch.randn(4, 5)",
    ),
    "clamp of numbers": ("x.clamp(0, 1) + (x * 3).long().clamp(-1, 2).float()", "torch.randn(3, 4)"),
    "squeeze": ("x.squeeze(1).squeeze(0).squeeze()", "torch.randn(3, 1, 4)"),
    "chunk": ("sum(c.sum() * (i + 1) for i, c in enumerate(torch.chunk(x, 3, -1)))", "torch.randn(2, 8)"),
    "scatter": ("x.scatter(1, torch.tensor([[0], [2]]), 5)", "torch.randn(2, 4)"),
    "scatter of a tensor": ("x.scatter(1, torch.tensor([[0, 1], [2, 3]]), x * 2)", "torch.randn(2, 4)"),
    "as_strided of a view": (
        "x.t().as_strided((3, 2, 5), (5, 5, 1)) * x[1:].as_strided((5,), (1,))",
        "torch.randn(4, 5)",
    ),
    "einsum of integers": ("torch.einsum('i,jk->ijk', torch.arange(3), x)", "torch.randn(2, 4)"),
    "remainders": (
        "x % 2 + torch.fmod(x, 2) + torch.remainder(x, -1.5) + ((x * 9).long() % 4).float() + x % (x + 5)",
        "torch.randn(3, 4)",
    ),
    "atan2": (
        "torch.atan2(x, x.flip(0)) + torch.atan2(x, x * 0) + torch.atan2(torch.zeros(4, 3), x)",
        "torch.randn(4, 3)",
    ),
    "hyperbolic": ("torch.sinh(x) + torch.cosh(x) + torch.square(x)", "torch.randn(3, 4)"),
    "outer": ("torch.ger(x[0], x[1])", "torch.randn(2, 4)"),
    "distances": (
        "torch.cdist(x, x[:, :3] * 2) + torch.dist(x, x * 2, 1) + torch.cdist(x, x[:, 1:4], p=1)",
        "torch.randn(2, 5, 4)",
    ),
    "diagonals": (
        "torch.diag(torch.diag(x, 1)) + torch.diag_embed(x[0, :3]) + torch.diagonal(x, -1, 1, 0)[:3] + torch.trace(x)",
        "torch.randn(4, 4)",
    ),
    "median": (
        "x.median(-1, keepdim=True)[0] + x.median() + x.kthvalue(2, 0)[0] + x.median(0)[1].float()",
        "torch.randn(4, 5)",
    ),
    "unfold of the last axis": ("x.unfold(-1, 4, 3) * x.unfold(-2, 1, 1).sum()", "torch.randn(2, 3, 10)"),
    "grid_sample": ("F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False)", "torch.randn(2, 3, 5, 6)"),
    "grid_sample of the border": (
        "F.grid_sample(x, x[:, :2, :3].permute(0, 2, 3, 1), padding_mode='border', align_corners=True)",
        "torch.randn(2, 3, 5, 6)",
    ),
    "grid_sample of the nearest": (
        "F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), mode='nearest', align_corners=True)",
        "torch.randn(2, 3, 5, 6)",
    ),
    "affine_grid": (
        "F.grid_sample(x, F.affine_grid(x[:, 0, :2, :3] / 2, (2, 3, 4, 5), align_corners=False), align_corners=False)",
        "torch.randn(2, 3, 5, 6)",
    ),
    "assignment with a step": (SET.format("(..., slice(None, None, 2))", "x[:, ::2] * 2"), "torch.randn(3, 6)"),
    "assignment of a negative row": (SET.format("-2", "x[0]"), "torch.randn(3, 6)"),
    "assignment of a block": (SET.format("(slice(-2, None), slice(1, 4))", "3"), "torch.randn(3, 6)"),
    "assignment by a mask": (SET.format("x > 0", "3") + " + " + SET.format("x[:, 0] > 0", "-1.5"), "torch.randn(3, 6)"),
    "assignment by numbers": (SET.format("torch.tensor([2, 0])", "x[:2] * 5"), "torch.randn(3, 6)"),
    "assignment to a view's elements": (SET.format("(..., 0)", "y[..., 0].add_(1)"), "torch.randn(3, 6)"),
    "norms": ("torch.norm(x, p=1) + x.norm() * x.norm(1, 1, True) + x.norm(2, 0)", "torch.randn(3, 4)"),
    "cosine": ("F.cosine_similarity(x[:, None], x[None] * 2 + 1, dim=-1)", "torch.randn(3, 4)"),
    "threshold": ("F.threshold(x, 0.1, 20)", "torch.randn(3, 4)"),
    "triu": ("torch.triu(x, 1) + torch.tril(x, -1) * 2", "torch.randn(2, 4, 5)"),
    "log10": ("torch.log10(x.abs() + 1)", "torch.randn(3, 4)"),
    "roll": ("torch.roll(x, (1, -2), (1, 2)) + torch.roll(x, 3)", "torch.randn(2, 4, 5)"),
    "var": ("torch.var(x, 1) + torch.var(x) + torch.var(x, (1,), unbiased=False)", "torch.randn(4, 5)"),
    "std": ("torch.std(x, (1, 2), keepdim=True) * x + x.std()", "torch.randn(2, 3, 4)"),
    "std_mean": ("torch.std_mean(x, 1)[0] - torch.std_mean(x, 1)[1] + sum(torch.var_mean(x))", "torch.randn(4, 5)"),
    "addcmul": (
        "torch.addcmul(x, x, x + 1, value=0.5) + torch.addcdiv(x, x, x.abs() + 1, value=2)",
        "torch.randn(3, 4)",
    ),
    "lerp": ("torch.lerp(x, x * 2, 0.3)", "torch.randn(3, 4)"),
    "sum of booleans": ("(x > 0).sum(1).float() + (x > 1).sum().float()", "torch.randn(3, 7)"),
    "adaptive mean": ("F.adaptive_avg_pool2d(x, (3, 5))", "torch.randn(2, 3, 7, 11)"),
    "adaptive mean of all": ("F.adaptive_avg_pool2d(x, (None, 1))", "torch.randn(2, 3, 7, 11)"),
    "adaptive mean of a line": ("F.adaptive_avg_pool1d(x, 4)", "torch.randn(2, 3, 10)"),
    "adaptive maximum": ("F.adaptive_max_pool2d(x, (3, 5))", "torch.randn(2, 3, 7, 11)"),
    "adaptive mean to more": ("F.adaptive_avg_pool2d(x, (6, 6))", "torch.randn(1, 2, 4, 4)"),
    "new_empty": ("x + x.new_empty(4).fill_(2.0) + x.new_full((4,), 0.5)", "torch.randn(3, 4)"),
    "unfold": ("F.unfold(x, (3, 2), dilation=(1, 2), padding=1, stride=2)", "torch.randn(2, 3, 8, 9)"),
    "fold": ("F.fold(x, (6, 7), (3, 2), padding=1, stride=2)", "torch.randn(2, 12, 12)"),
    "fold whose windows end early": ("F.fold(x, (8, 8), (3, 3), stride=2)", "torch.randn(1, 18, 9)"),
    "as_strided": ("x.as_strided((4, 3, 2), (5, 1, 1), 1)", "torch.randn(4, 5)"),
    "repeat_interleave": (
        "torch.repeat_interleave(x, 2, 1).sum() + torch.repeat_interleave(x, 3)",
        "torch.randn(3, 4)",
    ),
    "tensordot": ("torch.tensordot(x, x.transpose(0, 2), dims=([1, 2], [1, 0]))", "torch.randn(2, 3, 4)"),
    "addmv": ("torch.addmv(x[:, 0], x, x[0])", "torch.randn(4, 4)"),
    "stft": (SPECTRUM.format(16, 4, "window=torch.hann_window(16)"), "torch.randn(2, 64)"),
    "stft of a shorter window": (
        SPECTRUM.format(16, 5, "win_length=10, window=torch.ones(10), normalized=True"),
        "torch.randn(2, 64)",
    ),
    "stft of both sides": (SPECTRUM.format(16, 8, "onesided=False, center=False"), "torch.randn(2, 64)"),
    "activations": (
        "F.hardshrink(x) + F.softshrink(x) + F.celu(x, 0.7) + torch.expm1(x) + torch.trunc(x) * torch.frac(x)",
        "torch.randn(3, 9) * 2",
    ),
    "hardsigmoid": ("torch._C._nn.hardsigmoid(x)", "torch.randn(3, 9) * 4"),
    "mean of bags": ("F.embedding_bag((x * 10).abs().long().clamp(max=9), self.t, mode='mean')", "torch.randn(3, 4)"),
    "bags of other sizes": (
        "F.embedding_bag((x * 10).abs().long().clamp(max=9), self.t, torch.tensor([0, 1, 4]), mode='sum')",
        "torch.randn(6)",
    ),
}


@pytest.mark.parametrize(("forward", "example"), FORMS.values(), ids=FORMS)
def test_onnx_runtime_computes_what_pytorch_does(tmp_path, forward, example):
    torch.manual_seed(3)
    table = "self.t = nn.Parameter(torch.arange(20.).view(10, 2))"
    model = model_file.load(str(write_model(tmp_path / "m.py", forward, example, table)))
    made = pytorch_export.to_onnx(model)
    computed = run_onnx(made, {"input": model.example_inputs[0].numpy()})
    for tensor, array in zip(model.example_outputs, computed):
        expected = tensor.detach().numpy()
        assert array.shape == expected.shape
        assert expected.any()
        np.testing.assert_allclose(array, expected, rtol=2e-6, atol=2e-6)
