"""Which interpreter's PyTorch runs the model, and what a sandbox shows of it."""

import os
import sys

import pytest

from programs import ROOT
from runners import choose, stages, torch_interpreter, variables, venv
from runners.errors import RunnerError
from runners.stages import Job, Model
from runners.torch_interpreter import TorchInterpreter

pytestmark = pytest.mark.fast


def of(stage, torch, source="models/m.py"):
    job = Job((Model("m", source),), "build", {**variables.read({}), "TORCH": torch})
    return torch_interpreter.of(stages.BY_NAME[stage], job)


def checked(**values):
    variables.check({**variables.read({}), **values}, ("TORCH", "RUNNER", "DEVICE", "REQUIREMENTS"))


def test_the_stages_that_run_the_model_are_told_of_it(monkeypatch):
    monkeypatch.setattr(venv, "ensure", lambda environment: environment.python)
    for stage in ("export_onnx", "verify", "bisect_model"):
        found = of(stage, "2")
        assert found == TorchInterpreter(str(venv.TORCH2.python), "requirements/torch2.lock")
        assert found.options() == [f"--torch={venv.TORCH2.python}", "--torch-lock=requirements/torch2.lock"]
    assert of("onnx_to_tf", "2") is of("tf_to_tflite", "2") is of("export_onnx", "1.5") is None
    assert of("verify", "2", source="net.onnx") is None


def test_an_environment_of_the_users_is_not_locked():
    python = os.path.relpath(sys.executable, str(ROOT))
    assert of("export_onnx", python).options() == [f"--torch={os.path.abspath(str(ROOT / python))}"]
    reads = torch_interpreter.reads(of("export_onnx", python))
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    assert any(os.path.realpath(packages).startswith(os.path.realpath(path)) for path in reads)
    # Nothing that a whole home lies in.
    assert not {os.path.expanduser("~"), "/", "/usr"} & set(reads)


def test_one_that_does_not_run_is_named(tmp_path):
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    with pytest.raises(RunnerError, match=f"TORCH={path} does not run"):
        torch_interpreter.reads(of("export_onnx", str(path)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"TORCH": "3"}, "there is no TORCH '3'; it is one of 1.5, 2"),
        ({"TORCH": ""}, "there is no TORCH ''"),
        ({"TORCH": "no/such/python"}, "TORCH=no/such/python is no program"),
        ({"TORCH": "2", "RUNNER": "docker"}, "TORCH=2 is for RUNNER=venv"),
        ({"TORCH": "2", "DEVICE": "gpu"}, "DEVICE=gpu is for TORCH=1.5"),
        ({"TORCH": "2", "REQUIREMENTS": "r.txt"}, "REQUIREMENTS adds packages to PyTorch 1.5.1's environment"),
    ],
)
def test_what_cannot_be_is_one_line(values, said):
    with pytest.raises(RunnerError, match=said):
        checked(**values)


def test_with_it_and_no_runner_the_stages_run_in_environments():
    assert choose.choose("", "2")[0] == choose.choose("", "env/bin/python")[0] == "venv"
    assert choose.choose("venv", "2")[0] == "venv"


def test_its_files_lie_apart():
    values = variables.read({})
    folders = [stages.folder_of({**values, "TORCH": torch}) for torch in ("1.5", "2", "env/bin/python")]
    assert folders == ["build", "build/torch2", "build/torch-own"]
    assert {folder.split("/")[1] for folder in folders[1:]} <= set(stages.TAKEN)
