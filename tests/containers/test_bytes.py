"""The artifacts are the same, byte for byte, whichever runner made them."""

import shutil

from programs import run

ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")


def test_a_container_makes_what_the_virtual_environment_makes(engine, image, checkout, mobilenet):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    done = run("make", "tflite", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    for name in ARTIFACTS:
        assert (checkout / "build" / "mobilenet_v2" / name).read_bytes() == (mobilenet / name).read_bytes(), name


def test_and_verify_passes_there(engine, image, checkout):
    done = run("make", "verify", "SAMPLES=5", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    assert "verify: passed: 5 inputs" in done.stdout
