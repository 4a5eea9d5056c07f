"""The program that proves a quantized file, run as make runs it: verdicts, exit codes, and what it leaves."""

import json
import shutil
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
import quantized_files

from develop.detection import quantized_faults
from ferry.frozen import frozen_graph
from programs import ROOT, convert, run_stage, write_model

SCHEMA = json.loads((ROOT / "docs" / "report.quantized.schema.json").read_text())
MEMBERS = (
    "torch.manual_seed(2); self.c = nn.Conv2d(3, 8, 3, padding=1); self.d = nn.Conv2d(8, 8, 3, padding=1, groups=8); "
    "self.l = nn.Linear(8, 6); self.l.weight.data *= 8"
)
FORWARD = "self.l(F.relu6(self.d(F.relu(self.c(x)))).mean([2, 3]))"
METRIC = """

def get_metric():
    return lambda inputs, outputs: float((outputs[0].argmax(-1) == 0).mean())
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model file, its float artifacts, an int8 and a float16 file, and the calibration inputs."""
    folder = tmp_path_factory.mktemp("net")
    model = write_model(folder / "m.py", FORWARD, "torch.rand(1, 3, 12, 12)", MEMBERS)
    convert(model, folder)
    inputs = quantized_files.drawn([1, 3, 12, 12], seed=3)
    np.save(str(folder / "calibration.npy"), np.stack(inputs))
    np.save(str(folder / "inputs.npy"), np.stack(quantized_files.drawn([1, 3, 12, 12], seed=4, count=24)))
    graph = frozen_graph.load(str(folder / "model.pb"))
    names = frozen_graph.input_names(graph), frozen_graph.output_names(graph)
    for kind in ("int8", "float16"):
        data = quantized_files.of_graph(str(folder / "model.pb"), names, kind, inputs)
        (folder / f"model.{kind}.tflite").write_bytes(data)
    return model, folder


def check(made, build, *options, quant="int8", model=None):
    """Run the program on ``build`` with the module's inputs; its result and its report."""
    folder = made[1]
    done = run_stage(
        "verify_quantized", "--model", model or made[0], "--build", build, "--quant", quant, "--inputs",
        folder / "inputs.npy", "--calibration", folder / "calibration.npy", *options
    )  # fmt: skip
    path = build / f"report.{quant}.json"
    report = json.loads(path.read_text()) if path.exists() else None
    if report is not None:
        jsonschema.validate(report, SCHEMA)
    return done, report


def copied(made, folder, data):
    """A build folder with ``data`` for its int8 file."""
    shutil.copy(str(made[1] / "model.tflite"), str(folder))
    shutil.copy(str(made[1] / "model.onnx"), str(folder))
    (folder / "model.int8.tflite").write_bytes(data)
    return folder


def test_a_correct_file_passes_and_leaves_a_report_a_page_and_junit(made):
    done, report = check(made, made[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["passed"] and report["calibration"]["source"] == "calibration" and report["faults"] == []
    assert report["files"]["int8"]["bytes"] < report["files"]["float"]["bytes"]
    assert 0.5 < report["outputs"][0]["ratio"] < 1.4
    assert report["decisions"][0]["count"] == 24
    assert [each["operator"] for each in report["operators"]]
    page = (made[1] / "report.int8.html").read_text()
    assert "Float beside int8" in page and "Operator by operator" in page
    suite = ElementTree.parse(str(made[1] / "report.int8.junit.xml")).getroot()[0]
    assert suite.get("failures") == "0" and int(suite.get("tests")) == len(report["fidelity"]) + 1
    assert "has not been verified itself" in done.stdout


def test_a_float16_file_is_held_against_weights_rounded_once(made):
    done, report = check(made, made[1], quant="float16")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {each["weights_ratio"] for each in report["fidelity"]} == {None, 0.0}


def test_a_lost_bias_fails_and_its_operator_is_named(made, tmp_path):
    edited = quantized_faults.Edited((made[1] / "model.int8.tflite").read_bytes(), np.random.RandomState(1))
    operator = edited.weighted(bias=True)[0]
    bias = edited.bias_of(operator)
    edited.set_data(bias, 0 * edited.constant(bias))
    done, report = check(made, copied(made, tmp_path, edited.to_bytes()), "--accuracy-drop", "50%")
    assert done.returncode == 2
    (line, *_) = report["faults"]
    assert line.startswith("CONV_2D (") and "its bias is off" in line and line in done.stdout
    suite = ElementTree.parse(str(tmp_path / "report.int8.junit.xml")).getroot()[0]
    assert int(suite.get("failures")) >= 1


def test_a_file_that_loads_nowhere_proves_nothing_and_says_why(made, tmp_path):
    data = (made[1] / "model.int8.tflite").read_bytes()
    edited = quantized_faults.Edited(data, np.random.RandomState(0))
    assert quantized_faults.FAULTS["the wrong axis"](edited)
    done, report = check(made, copied(made, tmp_path, edited.to_bytes()))
    assert done.returncode == 1
    assert "cannot prepare" in report["fault"] and report["fidelity"] == []
    assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.slow
def test_integer_inputs_and_outputs_are_quantized_by_the_files_own_steps(made, tmp_path):
    graph = frozen_graph.load(str(made[1] / "model.pb"))
    names = frozen_graph.input_names(graph), frozen_graph.output_names(graph)
    inputs = list(np.load(str(made[1] / "calibration.npy")))
    data = quantized_files.of_graph(str(made[1] / "model.pb"), names, "int8", inputs, integers=True)
    done, _ = check(made, copied(made, tmp_path, data))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_models_own_metric_decides_where_it_has_one(made, tmp_path):
    model = tmp_path / "m.py"
    model.write_text(made[0].read_text() + METRIC)
    build = copied(made, tmp_path, (made[1] / "model.int8.tflite").read_bytes())
    done, report = check(made, build, "--accuracy-drop", "0.2", model=model)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["metric"]["drop"] == report["metric"]["floating"] - report["metric"]["quantized"]
    model.write_text(made[0].read_text() + METRIC.replace("float(", "undefined("))
    done, report = check(made, build, model=model)
    assert done.returncode == 1 and "get_metric() failed at line" in done.stderr and "NameError" in done.stderr


def test_what_is_missing_is_one_line(made, tmp_path):
    shutil.copy(str(made[1] / "model.tflite"), str(tmp_path))
    done, report = check(made, tmp_path)
    assert done.returncode == 1
    assert "run `make tflite QUANT=int8`" in done.stderr and report["fault"]
