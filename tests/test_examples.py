"""Each of models/examples/ converted: TFLite computes what PyTorch does, with builtin operators and no weight twice."""

import numpy as np
import pytest
import torch

from converted import run_tflite
from ferry.export import pytorch_export
from ferry.lowering import convert_onnx
from ferry.model import model_file
from ferry.tflite import converter, flatbuffer
from programs import ROOT

EXAMPLES = sorted((ROOT / "models" / "examples").glob("*.py"))
# Constants that are no weights, such as shapes, and the file's own structure: a kilobyte an operator is ample.
OVERHEAD_BYTES = 1000


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_tflite_computes_what_pytorch_does(path):
    model = model_file.load(str(path))
    exported = pytorch_export.to_onnx(model)
    data = converter.convert(convert_onnx.convert(exported))
    operators = flatbuffer.operators(data)
    assert not flatbuffer.flex_operators(operators)
    weights = sum(array.numel() * array.element_size() for array in model.module.state_dict().values())
    assert len(data) < weights + OVERHEAD_BYTES * sum(operators.values())
    random = np.random.RandomState(1)
    for _ in range(3):
        inputs = [_like(example, random) for example in model.example_inputs]
        with torch.no_grad():
            expected = model_file.tensors_in(str(path), model.module(*inputs))
        feeds = {info.name: tensor.numpy() for info, tensor in zip(exported.graph.input, inputs)}
        made = run_tflite(data, feeds)
        assert len(made) == len(expected)
        for array, tensor in zip(made, expected):
            wanted = tensor.numpy()
            assert array.shape == wanted.shape
            assert wanted.std() > 1e-3 * np.abs(wanted).max()
            np.testing.assert_allclose(array, wanted, rtol=0, atol=5e-6 * np.abs(wanted).max())


def _like(example, random):
    if example.dtype.is_floating_point:
        return torch.from_numpy(random.standard_normal(example.shape).astype(np.float32))
    return torch.from_numpy(random.randint(int(example.min()), int(example.max()) + 1, example.shape))
