import sys

import pytest
from onnx import helper

from develop.bench import latency_in_turns
from ferry.errors import BenchError
from ferry.lowering import convert_onnx
from ferry.tflite import converter
from onnx_models import model_of


@pytest.fixture()
def tflite(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(
        converter.convert(convert_onnx.convert(model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [1, 4]})))
    )
    return str(path)


def test_it_times_models_in_tensorflows_own_runtime(tflite, tmp_path):
    steps = []
    with open(str(tmp_path / "log"), "w") as log:
        made = latency_in_turns.measure(
            sys.executable, {"one": tflite, "two": tflite}, 1, 4, log, lambda: steps.append(1)
        )
    assert made.runtime.startswith("tensorflow 2.")
    assert made.threads == 1
    assert {name: len(samples) for name, samples in made.seconds.items()} == {"one": 4, "two": 4}
    assert all(second > 0 for samples in made.seconds.values() for second in samples)
    # TF's interpreter of 2020 leaves XNNPACK out unless it is asked.
    assert made.delegated == {"one": False, "two": False}
    assert len(steps) == 4


@pytest.mark.parametrize("end", ["exit 3", "kill -SEGV $$"])
def test_a_runtime_that_dies_is_an_error(tflite, tmp_path, end):
    dying = tmp_path / "python"
    dying.write_text(f"#!/bin/sh\n{end}\n")
    dying.chmod(0o755)
    with open(str(tmp_path / "log"), "w") as log, pytest.raises(
        BenchError, match="ended with exit code .* and no figures"
    ):
        latency_in_turns.measure(str(dying), {"one": tflite}, 1, 4, log, lambda: None)
