import json
import shutil

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from programs import ROOT, convert, run_stage, write_model

MOBILENET = ROOT / "models" / "mobilenet_v2.py"


SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())


def verify(model, build, *more, samples=3):
    return run_stage("verify", "--model", model, "--build", build, "--samples", samples, *more)


def report_of(build):
    """The report, which is always as docs/report.schema.json says."""
    report = json.loads((build / "report.json").read_text())
    jsonschema.validate(report, SCHEMA, jsonschema.Draft7Validator)
    return report


@pytest.fixture()
def build(mobilenet, tmp_path):
    """A copy of MobileNetV2's artifacts that a test may damage."""
    folder = tmp_path / "build"
    shutil.copytree(str(mobilenet), str(folder))
    return folder


def test_the_default_model_passes_at_every_stage(build):
    done = verify(MOBILENET, build, samples=20)
    assert done.returncode == 0, done.stderr
    report = report_of(build)
    assert report["passed"] is True
    assert report["samples"] == 20
    assert list(report["stages"]) == ["onnx", "tensorflow", "tflite"]
    scale = report["reference"]["outputs"]["output"]["mean_magnitude"]
    assert scale > 1
    assert report["reference"]["dtype"] == "float64"
    assert 1e-7 < report["noise_floor"]["output"]["against_reference"]["relative"]["mean"] < 1e-6
    for stage in report["stages"].values():
        assert stage["passed"] is True
        assert 0 < stage["mean_abs_error"] <= stage["max_abs_error"]
        assert stage["top1_agreement"] == 1.0
        assert 0.5 < stage["noise_multiple"] < 2
        assert stage["latency"]["milliseconds"]["p10"] <= stage["latency"]["milliseconds"]["median"]
        output = stage["outputs"]["output"]
        distance = output["against_reference"]
        assert distance["relative"]["mean"] == pytest.approx(distance["absolute"]["mean"] / scale)
        assert distance["absolute"]["mean"] <= distance["absolute"]["p999"] <= distance["absolute"]["max"]
        assert sum(output["histogram"]["counts"]) + output["histogram"]["below"] == 20 * 1000
        assert sum(entry["count"] for entry in output["by_magnitude"]) == 20 * 1000
        assert output["cosine"]["lowest"] > 1 - 1e-9
        assert output["psnr_db"] > 100
        assert output["parts"][0]["length"] == 1000
    assert report["stages"]["tflite"]["operators"]["CONV_2D"] == 35
    assert report["stages"]["onnx"]["operators"] is None
    assert done.stdout.count("passed") == 4


def batch_norm_epsilon(model):
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "epsilon":
                attribute.f = 1e-3


def lost_bias(model):
    bias = next(entry for entry in model.graph.initializer if entry.name == "classifier.1.bias")
    bias.CopyFrom(numpy_helper.from_array(np.zeros(1000, np.float32), bias.name))


def shifted_padding(model):
    node = next(node for node in model.graph.node if node.op_type == "Conv")
    pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
    pads.ints[:] = [0, 1, 2, 1]


def one_class_a_little_off(model):
    # Too little for the mean over a thousand classes to show: the maximum must.
    bias = next(entry for entry in model.graph.initializer if entry.name == "classifier.1.bias")
    array = numpy_helper.to_array(bias).copy()
    array[7] += 1e-3
    bias.CopyFrom(numpy_helper.from_array(array, bias.name))


@pytest.mark.parametrize("plant", [batch_norm_epsilon, lost_bias, shifted_padding, one_class_a_little_off])
def test_a_planted_fault_fails_its_stage_and_no_other(build, plant):
    model = onnx.load(str(build / "model.onnx"))
    plant(model)
    onnx.save(model, str(build / "model.onnx"))
    (build / "worst_input_tflite.npz").write_text("an earlier check's")
    done = verify(MOBILENET, build)
    assert done.returncode == 2
    report = report_of(build)
    assert report["passed"] is False
    worst = report["stages"]["onnx"]["worst_input"]
    assert np.load(worst)["input"].shape == (1, 1, 3, 224, 224)
    assert f"verify: onnx: the worst input is in {worst}" in done.stdout
    assert not (build / "worst_input_tflite.npz").exists()
    assert [name for name, stage in report["stages"].items() if not stage["passed"]] == ["onnx"]
    assert "verify: onnx: output is off by" in done.stdout
    assert "FAILED" in done.stdout


@pytest.mark.parametrize(
    ("name", "stage", "message"),
    [
        ("model.onnx", "onnx", "is not an ONNX model, or is cut short"),
        ("model.pb", "tensorflow", "is not a frozen graph, or is cut short"),
        ("model.tflite", "tflite", "is cut short or damaged"),
    ],
)
def test_a_truncated_artifact_fails_its_stage_and_the_others_are_still_checked(build, name, stage, message):
    data = (build / name).read_bytes()
    (build / name).write_bytes(data[: len(data) - 4000])
    done = verify(MOBILENET, build)
    assert done.returncode == 2
    stages = report_of(build)["stages"]
    assert message in stages[stage]["fault"]
    assert stages[stage]["mean_abs_error"] is None
    assert all(entry["passed"] for other, entry in stages.items() if other != stage)


def test_a_foreign_or_missing_tflite_fails(build):
    (build / "model.tflite").write_bytes(b"\x7fELF" + bytes(1000))
    assert "is not a TFLite model" in verify(MOBILENET, build).stdout
    (build / "model.tflite").unlink()
    assert "No such file" in verify(MOBILENET, build).stdout


def test_another_models_artifacts_fail_by_shape_before_any_value(build, tmp_path):
    model = write_model(tmp_path / "m.py", "x * 2")
    done = verify(model, build)
    assert done.returncode == 2
    assert "input input has shape [1, 3, 224, 224]; PyTorch's has [1, 3, 8, 8]" in done.stdout


def test_and_by_name_before_any_shape(tmp_path):
    build = convert(write_model(tmp_path / "m.py", "(x * 2, x * 3)"), tmp_path / "build")
    done = verify(write_model(tmp_path / "m.py", "x * 2"), build)
    assert done.returncode == 2
    assert "its outputs are named output_0, output_1; PyTorch's are output" in done.stdout


VACUOUS = {
    "tiny": ("x * 1e-10", "is too small to mean anything"),
    "constant": ("x * 0 + 1", "is the same for every input"),
    "not a number": ("x / (x * 0)", "NaN or infinity"),
}


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("forward", "message"), VACUOUS.values(), ids=VACUOUS)
def test_a_check_that_would_prove_nothing_is_an_error(tmp_path, forward, message, samples):
    model = write_model(tmp_path / "m.py", forward)
    build = convert(model, tmp_path / "build")
    (build / "report.json").write_text('{"passed": true}')
    done = verify(model, build, samples=samples)
    assert done.returncode == 1
    assert message in done.stderr
    report = report_of(build)
    assert report["passed"] is False
    assert message in report["fault"]


def test_nan_in_a_converted_model_fails(build):
    model = onnx.load(str(build / "model.onnx"))
    bias = next(entry for entry in model.graph.initializer if entry.name == "classifier.1.bias")
    values = numpy_helper.to_array(bias).copy()
    values[3] = np.nan
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    onnx.save(model, str(build / "model.onnx"))
    done = verify(MOBILENET, build)
    assert done.returncode == 2
    assert report_of(build)["stages"]["onnx"]["outputs"]["output"]["against_reference"] is None
    assert "NaN or infinity where PyTorch's do not" in report_of(build)["stages"]["onnx"]["fault"]
    assert report_of(build)["stages"]["onnx"]["mean_abs_error"] is None


@pytest.mark.parametrize("samples", ["0", "-1", "abc", "1.5"])
def test_samples_must_be_a_whole_number(build, samples):
    done = verify(MOBILENET, build, samples=samples)
    assert done.returncode == 2
    assert f"SAMPLES must be a whole number of 1 or more, not {samples!r}" in done.stderr


SOUND = {
    "integer input": ("self.e(x)", "torch.randint(0, 10, (1, 5))", "self.e = nn.Embedding(10, 4)"),
    "in-place forward": ("self.c(x.sub_(0.45).div_(0.2))", "torch.zeros(1, 3, 32, 32)", "self.c = nn.Conv2d(3, 8, 3)"),
    "an LSTM": ("self.l(x)[0]", "torch.randn(5, 1, 4)", "self.l = nn.LSTM(4, 6, bidirectional=True)"),
    "random weights": ("self.l(x)", "torch.randn(1, 8)", "self.l = nn.Linear(8, 8)"),
    "an example with a gradient": ("x * 2", "torch.randn(1, 8, requires_grad=True)"),
}


@pytest.mark.parametrize("net", SOUND.values(), ids=SOUND)
def test_a_sound_conversion_passes(tmp_path, net):
    model = write_model(tmp_path / "m.py", *net)
    build = convert(model, tmp_path / "build")
    done = verify(model, build, samples=10)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_model_that_draws_random_numbers_cannot_be_checked(tmp_path):
    model = write_model(
        tmp_path / "m.py", "self.l(x) + 1e-4 * torch.randn(1, 8)", "torch.randn(1, 8)", SOUND["random weights"][2]
    )
    build = convert(model, tmp_path / "build")
    done = verify(model, build)
    assert done.returncode == 1
    assert "another one when the same input comes again" in done.stderr
