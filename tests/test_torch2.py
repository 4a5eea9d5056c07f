"""TORCH=2: a model of today's PyTorch, exported and run by it, goes the pinned path."""

import hashlib
import json
import shutil
import sys

import numpy as np
import onnx
import pytest

from ferry.model.model_source import ModelSource
from ferry.verify.reference_worker import ReferenceWorker
from programs import ROOT, run, run_stage
from runners import venv

# Modules and functions that PyTorch 1.5.1 lacks, keyword inputs, a dictionary of outputs, one of them None.
MODEL = """\
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


class Today(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.out = nn.RMSNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, tokens: torch.Tensor, scale: torch.Tensor | None = None):
        q, k, v = self.qkv(self.norm(tokens)).view(1, 8, 3, 2, 8).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        made = F.silu(self.out(attended.transpose(1, 2).reshape(1, 8, 16)))
        return {"last_hidden_state": made * scale, "pooled": made.mean(1), "loss": None}


def get_pytorch_model():
    return Today()


def get_example_input():
    return {"tokens": torch.zeros(1, 8, 16), "scale": torch.ones(1, 8, 1)}


def get_inputs(count):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        yield torch.randn(1, 8, 16, generator=generator), torch.rand(1, 8, 1, generator=generator)
"""
# A trace follows it; torch.export, which has to know both ways, does not.
FOR_THE_OLDER_EXPORTER = """\
import torch


class Branching(torch.nn.Module):
    def forward(self, x):
        return x.sin() if x.sum().item() > 0 else x.cos()


def get_pytorch_model():
    return Branching()


def get_example_input():
    return torch.ones(1, 4)
"""


@pytest.fixture(scope="module")
def python():
    return str(venv.ensure(venv.TORCH2))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    # What an earlier run has made of the same file would be left as it is.
    shutil.rmtree(ROOT / "build" / "torch2" / "today", ignore_errors=True)
    path = tmp_path_factory.mktemp("torch2") / "today.py"
    path.write_text(MODEL)
    return path


@pytest.fixture(scope="module")
def made(model, python):
    """The model converted and verified by make."""
    return run("make", "verify", f"MODEL={model}", "TORCH=2", "RUNNER=venv", "SAMPLES=8")


def export(path, python, output, **options):
    return run_stage("export_onnx", "--model", path, "--torch", python, "--output", output, **options)


def test_it_is_converted_and_verified_against_todays_pytorch(made):
    assert made.returncode == 0, made.stdout + made.stderr
    report = json.loads((ROOT / "build" / "torch2" / "today" / "report.json").read_text())
    assert report["passed"] and report["reference"]["dtype"] == "float64"
    assert list(report["reference"]["outputs"]) == ["last_hidden_state", "pooled"]
    assert [each["name"] for each in report["inputs"]["tensors"]] == ["tokens", "scale"]
    assert report["inputs"]["text"] == "get_inputs() of today.py"
    assert not [name for name in report["stages"]["tflite"]["operators"] if name.startswith("Flex")]
    torch = report["provenance"]["torch"]
    assert torch["versions"]["torch"].startswith("2.13.0") and torch["versions"]["python"].startswith("3.11")
    lock = (ROOT / torch["lock"]).read_bytes()
    assert torch["lock_sha256"] == hashlib.sha256(lock).hexdigest()
    assert all(stage["pieces"]["judged"] for stage in report["stages"].values())


def test_it_is_made_once(made, model):
    again = run("make", "tflite", f"MODEL={model}", "TORCH=2", "RUNNER=venv")
    assert "Nothing to be done" in again.stdout


def test_its_bytes_are_the_same_each_time(made, model, python, tmp_path):
    done = export(model, python, tmp_path / "model.onnx", env={"PYTHONHASHSEED": "77"})
    assert done.returncode == 0, done.stderr
    assert "exported by PyTorch 2.13.0" in done.stdout and "dynamo exporter, opset 18" in done.stdout
    assert f"the versions of {python} are not locked" in done.stdout
    before = (ROOT / "build" / "torch2" / "today" / "model.onnx").read_bytes()
    assert (tmp_path / "model.onnx").read_bytes() == before


@pytest.mark.slow
def test_a_model_that_is_not_what_was_exported_fails(made, model, python, tmp_path):
    other = tmp_path / "today.py"
    other.write_text(model.read_text().replace("F.silu", "F.gelu"))
    build = ROOT / "build" / "torch2" / "today"
    done = run_stage(
        "verify", "--model", other, "--torch", python, "--build", build, "--output", tmp_path / "out", "--samples", 4
    )
    assert done.returncode == 2
    assert "onnx" in done.stdout and "FAILED" in done.stdout


def test_the_reference_is_computed_there_in_both_precisions(model, python, tmp_path):
    worker = ReferenceWorker(ModelSource(str(model), torch=python))
    assert worker.hello()["torch"]["torch"].startswith("2.13.0")
    assert worker.begin(worker.prepare("", 4, str(tmp_path), ""), None)["dtype"] == "float64"
    narrow, wide = worker._first.float32, worker._first.reference
    assert [array.dtype for array in (*narrow, *wide)] == [np.float32] * 2 + [np.float64] * 2
    assert 0 < np.abs(narrow[0] - wide[0]).max() < 1e-5


def test_what_the_newer_exporter_cannot_goes_by_the_older(python, tmp_path):
    path = tmp_path / "branching.py"
    path.write_text(FOR_THE_OLDER_EXPORTER)
    done = export(path, python, tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    assert "older exporter, opset 17" in done.stdout and "its dynamo exporter cannot: " in done.stdout


@pytest.mark.slow
def test_what_neither_can_is_one_line_with_the_users_line(python, tmp_path):
    path = tmp_path / "neither.py"
    path.write_text(
        FOR_THE_OLDER_EXPORTER.replace("x.sin() if x.sum().item() > 0 else x.cos()", "torch.linalg.eigh(x.T @ x)[0]")
    )
    done = export(path, python, tmp_path / "model.onnx")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "error" in line]
    assert len(said) == 1 and "cannot export this model to ONNX: " in said[0] and "its older exporter: " in said[0]
    assert not (tmp_path / "model.onnx").exists()


def test_a_fault_in_the_model_file_is_told_as_ever(python, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import torch\nx = torch.no_such_thing\n")
    done = export(path, python, tmp_path / "model.onnx")
    assert f"{path}: importing the file failed at line 2: AttributeError" in done.stderr
    assert done.returncode == 1


def test_the_pinned_environment_is_none_for_it(model, tmp_path):
    done = export(model, sys.executable, tmp_path / "model.onnx")
    assert "TORCH= takes 2.0 or newer" in done.stderr


def test_a_program_of_torch_export_is_converted_with_its_own_inputs(python, tmp_path):
    path = tmp_path / "net.pt2"
    program = (
        "import sys, torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x, *, scale): return {'y': torch.sin(x) * scale, 'z': x.sum(1)}\n"
        "inputs = (torch.ones(1, 4),), {'scale': torch.ones(1, 4)}\n"
        "torch.export.save(torch.export.export(Net(), *inputs), sys.argv[1])\n"
    )
    assert run(python, "-c", program, path).returncode == 0
    done = export(path, python, tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    made = onnx.load(str(tmp_path / "model.onnx")).graph
    assert [each.name for each in made.input] == ["input_0", "scale"]
    assert [each.name for each in made.output] == ["y", "z"]


def test_a_program_that_is_none_is_one_line(python, tmp_path):
    path = tmp_path / "net.pt2"
    path.write_bytes(b"no program")
    assert "give TORCH=2" in run_stage("export_onnx", "--model", path, "--output", tmp_path / "model.onnx").stderr
    done = export(path, python, tmp_path / "model.onnx")
    assert "is damaged, or no program of torch.export that PyTorch 2.13" in done.stderr


def test_what_asks_for_a_newer_pytorch_is_told_where_that_is(tmp_path):
    path = tmp_path / "newer.py"
    path.write_text("from torch import nn\nnorm = nn.RMSNorm(3)\n")
    done = run_stage("export_onnx", "--model", path, "--output", tmp_path / "model.onnx")
    assert "this is PyTorch 1.5.1, and where the model is for a newer one, TORCH=2 has today's" in done.stderr
