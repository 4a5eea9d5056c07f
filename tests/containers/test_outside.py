"""A model that lies outside the checkout, with what it reads beside it and its weights elsewhere."""

import shutil

import pytest

from programs import convert, run, run_stage, write_model_outside

pytestmark = pytest.mark.slow


@pytest.fixture()
def far(tmp_path):
    """A folder that holds such a model."""
    folder = tmp_path / "far"
    folder.mkdir()
    write_model_outside(folder)
    return folder


def verified(engine, checkout, *arguments):
    done = run("make", "verify", f"RUNNER={engine.name}", "SAMPLES=5", *arguments, cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    return "verify: passed: 5 inputs" in done.stdout


def test_it_is_converted_and_verified_and_has_the_same_bytes(engine, image, checkout, far, tmp_path):
    weights = far / "elsewhere" / "w.pth"
    assert verified(engine, checkout, f"MODEL={far}/far.py", f"WEIGHTS={weights}")
    here = tmp_path / "model.onnx"
    exported = run_stage("export_onnx", "--model", far / "far.py", "--weights", weights, "--output", here)
    assert exported.returncode == 0, exported.stderr
    assert (checkout / "build" / "far" / "model.onnx").read_bytes() == here.read_bytes()


def test_one_that_is_onnx_already_is_too(engine, image, checkout, far, tmp_path):
    given = tmp_path / "given" / "net.onnx"
    given.parent.mkdir()
    shutil.copyfile(str(convert(far / "far.py", tmp_path / "made") / "model.onnx"), str(given))
    assert verified(engine, checkout, f"ONNX={given}", "TOLERANCE=1e-5")
