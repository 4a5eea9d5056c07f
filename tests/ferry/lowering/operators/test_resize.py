"""``Resize`` and ``Upsample`` as PyTorch exports them, against PyTorch: ONNX Runtime 1.4.0 rounds positions itself."""

import io

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

from converted import run_graph, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import normal


class Resized(torch.nn.Module):
    def __init__(self, after_a_convolution, **options):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1) if after_a_convolution else torch.nn.Identity()
        self.options = options

    def forward(self, x):
        return functional.interpolate(self.conv(x), **self.options)


NEAREST = [{"scale_factor": 2, "mode": "nearest"}, {"size": (8, 15), "mode": "nearest"}]
BILINEAR = [
    {"mode": "bilinear", "align_corners": corners, **size}
    for corners in (False, True)
    for size in ({"scale_factor": 2}, {"size": (7, 11)})
]
# Before opset 11 ONNX has one bilinear resize, which is neither of PyTorch's.
CASES = [(options, opset) for options in NEAREST for opset in (9, 10, 11)] + [(options, 11) for options in BILINEAR]


@pytest.mark.parametrize("after_a_convolution", [False, True])
@pytest.mark.parametrize(("options", "opset"), CASES, ids=str)
def test_it_computes_what_pytorch_does(options, after_a_convolution, opset):
    torch.manual_seed(0)
    module = Resized(after_a_convolution, **options).eval()
    x = normal(1, 1, 3, 4, 5)
    buffer = io.BytesIO()
    torch.onnx.export(
        module, torch.from_numpy(x), buffer, opset_version=opset, input_names=["input"], output_names=["output"]
    )
    graph_def = convert_onnx.convert(onnx.load_model_from_string(buffer.getvalue()))
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    data = converter.convert(graph_def)
    for made in (run_graph(graph_def, {"input": x})[0], run_tflite(data, {"input": x})[0]):
        np.testing.assert_allclose(made, expected, rtol=0, atol=2e-6)
    assert not flatbuffer.flex_operators(flatbuffer.operators(data))
