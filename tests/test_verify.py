import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

from programs import ROOT, convert, run_stage, write_model

MOBILENET = ROOT / "models" / "mobilenet_v2.py"
SLOW = pytest.mark.slow


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


@pytest.mark.parametrize(
    "plant",
    [
        lost_bias,
        *(pytest.param(each, marks=SLOW) for each in (batch_norm_epsilon, shifted_padding, one_class_a_little_off)),
    ],
)
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
        pytest.param("model.onnx", "onnx", "is not an ONNX model, or is cut short", marks=SLOW),
        pytest.param("model.pb", "tensorflow", "is not a frozen graph, or is cut short", marks=SLOW),
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize("samples", [1, pytest.param(3, marks=SLOW)])
@pytest.mark.parametrize(
    ("forward", "message"),
    [pytest.param(*each, id=name, marks=() if name == "constant" else SLOW) for name, each in VACUOUS.items()],
)
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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "net", [pytest.param(net, id=name, marks=() if name == "in-place forward" else SLOW) for name, net in SOUND.items()]
)
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


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small model's file, with its artifacts beside it."""
    folder = tmp_path_factory.mktemp("small")
    return convert(write_model(folder / "m.py", "self.c(x)", members="self.c = nn.Conv2d(3, 4, 3)"), folder) / "m.py"


def copied(small, tmp_path, more=""):
    """A copy of the small model and its artifacts, with ``more`` in its file, as its path and its folder."""
    build = tmp_path / "build"
    shutil.copytree(str(small.parent), str(build))
    (build / "m.py").write_text(small.read_text() + more)
    return build / "m.py", build


PREPROCESSING = """
def get_preprocessing():
    from torchvision import transforms
    normalised = transforms.Normalize([0.5] * 3, [0.2] * 3)
    return transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor(), normalised])
"""


def test_a_folder_of_images_is_made_into_inputs_as_the_model_file_says(small, tmp_path):
    model, build = copied(small, tmp_path, PREPROCESSING)
    (tmp_path / "images").mkdir()
    for number in range(5):
        pixels = np.random.RandomState(number).randint(0, 256, (20, 30, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    done = verify(model, build, "--inputs", tmp_path / "images")
    assert done.returncode == 0, done.stderr
    assert report_of(build)["inputs"]["text"] == f"3 images of {tmp_path / 'images'}"
    assert report_of(build)["reference"]["outputs"]["output"]["mean_magnitude"] > 0.1
    (tmp_path / "images" / "1.png").write_text("no image")
    done = verify(model, build, "--inputs", tmp_path / "images")
    assert done.returncode == 1
    assert "1.png is not an image that can be read" in done.stderr
    assert report_of(build)["fault"].startswith(str(tmp_path / "images" / "1.png"))


def test_a_folder_of_images_needs_a_preprocessing(small, tmp_path):
    done = verify(*copied(small, tmp_path), "--inputs", tmp_path)
    assert done.returncode == 1
    assert "has no get_preprocessing(): define it to return what makes an input of a PIL image" in done.stderr


def test_the_model_file_may_give_the_inputs_and_the_user_has_the_last_word(small, tmp_path):
    given = "def get_inputs(count):\n    return (torch.full((1, 3, 8, 8), float(n)) for n in range(5))\n"
    model, build = copied(small, tmp_path, given)
    done = verify(model, build, samples=100)
    assert done.returncode == 0, done.stderr
    assert "verify: the inputs given are 5, and all were used" in done.stdout
    assert "verify: passed: 5 inputs" in done.stdout
    report = report_of(build)
    assert (report["samples"], report["settings"]["samples"]) == (5, 100)
    assert report["inputs"]["text"] == "get_inputs() of m.py"
    assert verify(model, build, "--inputs", "uniform:0:255").returncode == 0
    assert "input uniform in 0 to 255; seed" in report_of(build)["inputs"]["text"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise OSError('no such disk')", "get_inputs() failed: OSError: no such disk"),
        pytest.param(
            "yield torch.zeros(1, 3, 8, 9)", "sample 0: input has shape [1, 3, 8, 9], not [1, 3, 8, 8]", marks=SLOW
        ),
        pytest.param("yield torch.zeros(1, 3, 8, 8) / 0", "sample 0: input holds NaN or infinity", marks=SLOW),
    ],
)
def test_inputs_that_the_model_file_cannot_give_are_its_fault(small, tmp_path, body, message):
    done = verify(*copied(small, tmp_path, f"def get_inputs(count):\n    {body}\n"))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_one_given_input_is_enough_to_see_that_the_output_depends_on_it(small, tmp_path):
    np.save(tmp_path / "x.npy", np.random.RandomState(0).standard_normal((1, 3, 8, 8)).astype(np.float32))
    done = verify(*copied(small, tmp_path), "--inputs", tmp_path / "x.npy")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_tolerance_overrides_the_rounding(small, tmp_path):
    model, build = copied(small, tmp_path)
    done = verify(model, build, "--tolerance", "1e-12")
    assert done.returncode == 2
    assert "1.0e-12 is allowed" in done.stdout
    assert report_of(build)["settings"]["tolerance"] == 1e-12


@pytest.mark.parametrize("tolerance", ["0", "-1e-3", "1", "nan", "abc"])
def test_tolerance_must_be_a_share(build, tolerance):
    done = verify(MOBILENET, build, f"--tolerance={tolerance}")
    assert done.returncode == 2
    assert f"TOLERANCE must be a number above 0 and below 1, such as 1e-5, not {tolerance!r}" in done.stderr


@pytest.mark.slow
def test_a_model_whose_module_float64_cannot_run_is_checked_against_its_trace_and_that_is_said(tmp_path):
    model = write_model(tmp_path / "m.py", "self.c(x).float()", members=SMALL_SEEDED)
    build = convert(model, tmp_path / "build")
    done = verify(model, build)
    assert done.returncode == 0, done.stdout
    assert "verify: PyTorch cannot run the module itself in float64 (its output stays float32): " in done.stdout
    report = report_of(build)
    assert report["reference"]["dtype"] == "float64" and report["noise_floor"]


SMALL_SEEDED = "torch.manual_seed(1); self.c = nn.Conv2d(3, 4, 3)"


@pytest.mark.slow
def test_a_saturated_softmax_is_refused(tmp_path):
    model = write_model(
        tmp_path / "m.py", "F.softmax(1e6 * self.c(x).mean([2, 3]), 1)", "torch.randn(1, 3, 8, 8)", SMALL_SEEDED
    )
    build = convert(model, tmp_path / "build")
    done = verify(model, build)
    assert done.returncode == 1
    assert "is a saturated softmax" in done.stderr
    assert "Return the logits, before the softmax" in done.stderr


@pytest.mark.slow
def test_an_untrained_mobilenet_is_refused_as_vacuous(build, tmp_path):
    model = tmp_path / "untrained.py"
    model.write_text(MOBILENET.read_text().replace("    model.load_state_dict", "    # model.load_state_dict"))
    done = verify(model, build, samples=2)
    assert done.returncode == 1
    assert "output is too small to mean anything" in done.stderr
    assert "Give the model its trained weights" in done.stderr


def test_a_file_replaced_under_the_check_is_found_out(small, tmp_path):
    replaces = "def get_inputs(count):\n    open(__file__[:-4] + 'model.tflite', 'ab').write(b'more')\n"
    model, build = copied(small, tmp_path, replaces + "    return torch.randn(3, 3, 8, 8)\n")
    done = verify(model, build)
    assert done.returncode == 1
    assert f"{build / 'model.tflite'} was replaced while it was being checked" in done.stderr
    assert report_of(build)["passed"] is False


@pytest.mark.slow
def test_a_file_replaced_between_two_checks_is_the_one_that_is_judged(small, tmp_path):
    model, build = copied(small, tmp_path)
    assert verify(model, build).returncode == 0
    before = report_of(build)
    other = onnx.load(str(build / "model.onnx"))
    for entry in other.graph.initializer:
        entry.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(entry) * 2, entry.name))
    onnx.save(other, str(build / "model.onnx"))
    done = verify(model, build)
    after = report_of(build)
    assert done.returncode == 2
    assert after["reference"]["reused"] is True
    assert [name for name, stage in after["stages"].items() if not stage["passed"]] == ["onnx"]
    for name in before["stages"]:
        same = after["stages"][name]["artifact"]["sha256"] == before["stages"][name]["artifact"]["sha256"]
        assert same == (name != "onnx")
    assert "onnx: model.onnx is not the file that was checked last" in done.stdout


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW)])
def test_an_interrupted_check_leaves_no_references_and_no_process(small, tmp_path, stop):
    started = tmp_path / "started"
    slow = f"""
        if __import__("sys").modules["__main__"].__class__ and x.dtype is torch.float64:
            open({str(started)!r}, "a").write("x")
            __import__("time").sleep(0.2)
        return self.c(x)
"""
    model, build = copied(small, tmp_path)
    model.write_text(small.read_text().replace("        return self.c(x)\n", slow[1:]))
    command = [sys.executable, ROOT / "scripts" / "verify.py", "--model", model, "--build", build, "--samples", "500"]
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        universal_newlines=True,
    )  # fmt: skip
    deadline = time.time() + 120
    while time.time() < deadline and not (started.exists() and started.stat().st_size > 20):
        time.sleep(0.1)
    assert list((build / "references").iterdir()), "it was stopped too early"
    os.killpg(process.pid, stop)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; nothing was left half-written" in output
    assert "Traceback" not in output
    assert list((build / "references").iterdir()) == []
    assert not list(build.glob("inputs.*"))
    with pytest.raises(ProcessLookupError):
        for _ in range(50):
            os.killpg(process.pid, 0)
            time.sleep(0.1)
