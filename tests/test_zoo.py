"""The zoo: that every model of torchvision is in it, that its batch norms are calibrated, and its table."""

import json
import sys

import torch
import torchvision
import zoo_table

from ferry.model import model_file
from programs import ROOT, run

ZOO = ROOT / "models" / "zoo"
REPORT = {
    "passed": True,
    "seconds": 12.4,
    "samples": 20,
    "stages": {
        "tflite": {
            "outputs": {"output": {"against_reference": {"relative": {"mean": 2.5e-7}}}},
            "operators": {"CONV_2D": 20, "FlexConv3D": 2},
            "noise_multiple": 1.234,
            "artifact": {"bytes": 12_340_000},
            "latency": {"milliseconds": {"median": 3.21}},
        }
    },
}


def functions(module):
    """The names of the functions that build a model."""
    lower = [name for name in vars(module) if name.islower() and not name.startswith("_")]
    return {name for name in lower if callable(getattr(module, name))}


def test_every_model_of_torchvision_is_in_it():
    models = torchvision.models
    wanted = functions(models) | functions(models.segmentation) | functions(models.video)
    assert {path.stem for path in ZOO.glob("*.py")} - {"calibrated"} == wanted
    assert len(wanted) == 42


def test_a_model_is_calibrated_and_the_same_each_time():
    first, second = (model_file.load(str(ZOO / "shufflenet_v2_x0_5.py")) for _ in range(2))
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = first.module(x)
        assert torch.equal(made, second.module(x))
    # What it says of two images differs by more than any rounding.
    assert (made[0] - made[1]).abs().mean() > 1e-2


def test_a_row_of_the_table():
    cells = "| resnet18 | passed | 2.5e-07 | 1.23 | 22 | Conv3D (2) | 12.3 | 20 | 3.2 | 12 |\n"
    assert zoo_table.row("resnet18", REPORT) == cells
    assert zoo_table.row("resnet18", None).startswith("| resnet18 | no report |")
    assert zoo_table.row("resnet18", {**REPORT, "passed": False}).startswith("| resnet18 | FAILED |")
    assert zoo_table.row("resnet18", {"passed": False, "stages": {}}).startswith("| resnet18 | not verified |")


def test_the_table_fails_with_a_model(tmp_path):
    build = tmp_path / "build"
    for name, passed in (("good", True), ("bad", False)):
        (build / name).mkdir(parents=True)
        (build / name / "report.json").write_text(json.dumps({**REPORT, "passed": passed}))
    command = [sys.executable, ROOT / "scripts" / "zoo_table.py", "--build", build, "--output", tmp_path / "zoo.md"]
    assert run(*command, "good").returncode == 0
    done = run(*command, "good", "bad")
    assert done.returncode == 1
    assert "zoo: 1 of 2 models passed" in done.stdout
    assert "| bad | FAILED |" in (tmp_path / "zoo.md").read_text()


def test_a_model_that_was_refused_has_its_line(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "report.json").write_text(json.dumps(REPORT))
    (tmp_path / "refused.json").write_text(json.dumps({"old": "export_onnx: error: fft (m.py:3): compute it before"}))
    page = tmp_path / "zoo2020.md"
    command = [sys.executable, ROOT / "scripts" / "zoo_table.py", "--build", tmp_path, "--output", page]
    assert run(*command, "old", "none").returncode == 1
    assert page.read_text().startswith("# The zoo of 2020\n")
    assert "\n- old: `export_onnx: error: fft (m.py:3): compute it before`\n" in page.read_text()
    assert page.read_text().endswith("\nNo run so far of 1: none.\n")
    assert "| old | no report |" in page.read_text()
