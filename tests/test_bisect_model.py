import json

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from programs import ROOT, convert, run_stage, write_model

LAYERS = "self.first = nn.Conv2d(3, 4, 3); self.second = nn.Linear(4, 5)"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return write_model(folder / "m.py", "self.second(F.relu(self.first(x)).mean([2, 3]))", members=LAYERS)


@pytest.fixture()
def build(model, tmp_path):
    return convert(model, tmp_path / "build")


def bisect(model, build, *arguments):
    return run_stage("bisect_model", "--model", model, "--build", build, *arguments)


def test_it_says_that_a_sound_model_parts_nowhere(model, build):
    done = bisect(model, build)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("every piece of it computes what it was made to compute") == 3


def test_it_names_tensor_node_operator_and_module(model, build):
    made = onnx.load(str(build / "model.onnx"))
    bias = next(entry for entry in made.graph.initializer if entry.name == "second.bias")
    bias.CopyFrom(numpy_helper.from_array(np.zeros(5, np.float32), bias.name))
    onnx.save(made, str(build / "model.onnx"))
    gemm = made.graph.node[-1]
    done = bisect(model, build)
    assert done.returncode == 0, done.stderr
    assert "bisect: onnx breaks: the ONNX model against PyTorch" in done.stdout
    assert f"first tensor that parts: output, made by {gemm.name} (Gemm) of second" in done.stdout
    assert "what to do: " in done.stdout


def test_one_stage_alone(model, build):
    done = bisect(model, build, "--stage", "tflite")
    assert done.returncode == 0, done.stderr
    assert "bisect: tflite: on the first random input every piece" in done.stdout
    assert "bisect: onnx:" not in done.stdout


def test_a_model_that_came_as_onnx_is_walked_from_there_on(build):
    done = bisect(build / "model.onnx", build)
    assert done.returncode == 0, done.stderr
    assert "bisect: onnx:" not in done.stdout
    assert done.stdout.count("every piece of it computes what it was made to compute") == 2
    done = bisect(build / "model.onnx", build, "--stage", "onnx")
    assert done.returncode == 1
    assert "the model came as ONNX: there is no PyTorch to bisect it against" in done.stderr


def test_a_missing_artifact_is_one_line(model, build):
    (build / "model.pb").unlink()
    done = bisect(model, build)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].endswith("No such file or directory")
    assert "Traceback" not in done.stderr


def test_verify_says_where_a_stage_broke_and_bisects_on_its_worst_input(model, build):
    made = onnx.load(str(build / "model.onnx"))
    weight = next(entry for entry in made.graph.initializer if entry.name == "first.bias")
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) + np.float32(0.5), weight.name))
    onnx.save(made, str(build / "model.onnx"))
    done = run_stage("verify", "--model", model, "--build", build, "--samples", 3)
    assert done.returncode == 2
    assert "verify: onnx breaks: the ONNX model against PyTorch" in done.stdout
    assert "(Conv) of first" in done.stdout
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, json.loads((ROOT / "docs" / "report.schema.json").read_text()))
    assert "<h2>Where it broke</h2>" in (build / "report.html").read_text()
    where = report["stages"]["onnx"]["where"]
    assert (where["step"], where["operator"], where["scope"]) == ("export", "Conv", "first")
    assert (build / "worst_input_onnx.npz").exists()


def test_the_worst_input_of_a_stage_is_the_one_it_is_walked_on(model, build):
    np.savez(str(build / "worst_input_tflite.npz"), input=np.ones((1, 1, 3, 8, 8), np.float32))
    done = bisect(model, build, "--stage", "tflite")
    assert f"bisect: tflite: on {build}/worst_input_tflite.npz every piece" in done.stdout


@pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "of another kind", "of another shape"])
def test_one_that_does_not_fit_is_left_aside(model, build, content):
    path = build / "worst_input_tflite.npz"
    np.savez(str(path), input=np.ones((1, 1, 3, 9, 9), np.float32)) if content is None else path.write_bytes(content)
    done = bisect(model, build, "--stage", "tflite")
    assert done.returncode == 0, done.stderr
    assert "bisect: tflite: on the first random input every piece" in done.stdout
