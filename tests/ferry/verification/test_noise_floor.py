import numpy as np
import pytest

from ferry.runtimes.pytorch_runtime import PytorchRuntime
from ferry.verification.noise_floor import relative_noise
from programs import write_model


def noise_of(tmp_path, forward, example="torch.randn(1, 3, 8, 8)", members="pass"):
    model = PytorchRuntime(str(write_model(tmp_path / "m.py", forward, example, members)))
    return relative_noise(model, model.example_inputs, samples=4)


def test_it_is_float32s_rounding(tmp_path):
    noise = noise_of(tmp_path, "self.c(x)", members="self.c = nn.Conv2d(3, 8, 3)")
    assert 1e-9 < noise[0] < 1e-6


def test_a_computation_that_magnifies_rounding_has_more_of_it(tmp_path):
    assert noise_of(tmp_path, "(x + 1000) - 1000")[0] > 1e-6


def test_the_models_own_weights_stay_float32(tmp_path):
    path = write_model(tmp_path / "m.py", "self.c(x)", members="self.c = nn.Conv2d(3, 8, 3)")
    model = PytorchRuntime(str(path))
    relative_noise(model, model.example_inputs, samples=2)
    assert model.run([np.zeros((1, 3, 8, 8), np.float32)])[0].dtype == np.float32


def test_a_module_that_float64_cannot_run_has_none(tmp_path):
    assert noise_of(tmp_path, "torch.matmul(x, torch.ones(8, 8))") is None


@pytest.mark.parametrize("forward", ["x / (x * 0)", "x + float('inf')"])
def test_not_a_number_is_no_floor(tmp_path, forward):
    assert noise_of(tmp_path, forward) is None
