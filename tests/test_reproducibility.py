"""The artifacts depend on the model and the lock, and on nothing else."""

import hashlib
import os
import re

import pytest

from programs import ROOT, run_stage

ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")
LOCKS = [
    "requirements.lock", "requirements/tf2.2.lock", "requirements/cuda.lock", "requirements/uv.lock",
    "requirements/lint.lock", "requirements/bench.lock",
]  # fmt: skip


def digests(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ARTIFACTS}


def test_the_bytes_are_the_same_in_another_place_time_and_mood(mobilenet, tmp_path):
    env = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    build = tmp_path / "a folder" / "of another name"
    steps = [
        ("export_onnx", "--model", ROOT / "models" / "mobilenet_v2.py", "--output", build / "model.onnx"),
        ("onnx_to_tf", "--input", build / "model.onnx", "--output", build / "model.pb"),
        ("tf_to_tflite", "--input", build / "model.pb", "--output", build / "model.tflite"),
    ]
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        for name, *arguments in steps:
            assert run_stage(name, *arguments, env=env).returncode == 0
    finally:
        os.sched_setaffinity(0, allowed)
    assert digests(build) == digests(mobilenet)


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_pins_and_hashes_all_it_names(name):
    lines = (ROOT / name).read_text().splitlines()
    assert lines[1].strip("# ") == "make lock"
    packages = [position for position, line in enumerate(lines) if line[:1].isalnum()]
    assert packages
    for position in packages:
        assert "==" in lines[position]
        assert lines[position + 1].strip().startswith("--hash=sha256:")


@pytest.mark.parametrize(("name", "tf"), [("requirements.lock", "2.4.4"), ("requirements/tf2.2.lock", "2.2.0")])
def test_the_lock_holds_the_versions_of_the_article(name, tf):
    lock = (ROOT / name).read_text()
    for pin in ("torch==1.5.1", "onnx==1.7.0", "onnx-tf==1.6.0", f"tensorflow-cpu=={tf}", "onnxruntime==1.4.0"):
        assert f"\n{pin} \\\n" in lock


def test_the_two_tensorflows_differ_in_nothing_that_other_stages_run_on():
    pins = [dict(re.findall(r"^([a-z0-9].*)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS[:2]]
    shared = set(pins[0]) & set(pins[1])
    differing = {name for name in shared if pins[0][name] != pins[1][name]}
    assert differing == {"google-auth", "tensorboard", "tensorflow-cpu", "tensorflow-estimator"}


def test_the_gpu_image_differs_in_no_version():
    cpu, cuda = (
        dict(re.findall(r"^([a-z0-9].*)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements/cuda.lock")
    )
    assert cuda["tensorflow"] == cpu["tensorflow-cpu"]
    assert set(cpu).isdisjoint(cuda)
    assert all(name.startswith("nvidia-") for name in set(cuda) - {"tensorflow"})


@pytest.mark.parametrize("name", LOCKS[:2])
def test_every_direct_requirement_is_in_the_lock(name):
    lock = (ROOT / name).read_text()
    asked = [line.split("#")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines()]
    for requirement in filter(None, asked):
        package = requirement.split("==")[0].split("<")[0]
        assert f"\n{package}==" in lock, package


@pytest.mark.parametrize("name", LOCKS)
def test_no_host_or_path_of_the_machine_that_locked_is_in_the_lock(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert str(ROOT) not in text
