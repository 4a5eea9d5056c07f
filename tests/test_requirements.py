"""REQUIREMENTS: a model that imports a package becomes a verified .tflite, and the report names the package."""

import json

import pytest

from programs import ROOT, run

MODEL = """\
import torch
from einops.layers.torch import Rearrange


def get_pytorch_model():
    return torch.nn.Sequential(Rearrange("b c h w -> b (h w) c"), torch.nn.Linear(3, 4)).eval()


def get_example_input():
    return torch.zeros(1, 3, 8, 8)
"""


@pytest.mark.slow
def test_a_model_that_imports_a_package(tmp_path):
    model, requirements = tmp_path / "rearranged.py", tmp_path / "requirements.txt"
    model.write_text(MODEL)
    given = ["RUNNER=venv", f"MODEL={model}", "SAMPLES=2"]
    without = run("make", "tflite", *given)
    assert without.returncode != 0
    assert "No module named 'einops'; REQUIREMENTS=requirements.txt names the packages" in without.stderr
    requirements.write_text("einops==0.3.0\n")
    done = run("make", "verify", *given, f"REQUIREMENTS={requirements}")
    assert done.returncode == 0, done.stderr
    report = json.loads((ROOT / "build" / "rearranged" / "report.json").read_text())
    (package,) = report["provenance"]["packages"]
    assert (package["name"], package["version"], package["built_from_source"]) == ("einops", "0.3.0", False)
    assert all(digest.startswith("sha256:") for digest in package["hashes"])
    # A pin does not move, and what is there stays.
    requirements.write_text("einops==0.3.0\nnumpy==1.21\n")
    refused = run("make", "tflite", *given, f"REQUIREMENTS={requirements}")
    assert refused.returncode != 0
    assert "asks for numpy==1.21, and requirements.lock has numpy==1.19.2, which stays" in refused.stderr
