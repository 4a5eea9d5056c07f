"""The artifacts are the same, byte for byte, whichever runner made them."""

import shutil

import docker
import pytest

from programs import run

pytestmark = pytest.mark.slow

# Podman's service may ask for more files and processes than the machine allows it.
LIMITS = [docker.types.Ulimit(name=name, soft=1024, hard=1024) for name in ("nofile", "nproc")]
ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")


def test_a_container_makes_what_the_virtual_environment_makes(engine, image, checkout, mobilenet):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    done = run("make", "tflite", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    for name in ARTIFACTS:
        assert (checkout / "build" / "mobilenet_v2" / name).read_bytes() == (mobilenet / name).read_bytes(), name


def test_with_the_other_tensorflow_it_does_too(engine, checkout, mobilenet22):
    build = checkout / "build" / "tf2.2"
    shutil.rmtree(str(build), ignore_errors=True)
    done = run("make", "tflite", "TF=2.2", f"RUNNER={engine.name}", cwd=str(checkout), timeout=1200)
    assert done.returncode == 0, done.stderr
    for name in ARTIFACTS:
        assert (build / "mobilenet_v2" / name).read_bytes() == (mobilenet22 / name).read_bytes()


def test_an_image_says_which_tensorflow_it_holds(engine, client, checkout):
    name = run("make", "image", "TF=2.2", f"RUNNER={engine.name}", cwd=str(checkout), timeout=1200).stdout.strip()
    environment = client.images.get(name).attrs["Config"]["Env"]
    assert "FERRY_TF=2.2" in environment
    with pytest.raises(docker.errors.ContainerError, match="this image holds TensorFlow 2.2; TF=2.4 has an image"):
        client.containers.run(name, ["onnx", "TF=2.4"], remove=True, network_mode="none", ulimits=LIMITS, stderr=True)


def test_and_verify_passes_there(engine, image, checkout):
    done = run("make", "verify", "SAMPLES=5", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    assert "verify: passed: 5 inputs" in done.stdout
