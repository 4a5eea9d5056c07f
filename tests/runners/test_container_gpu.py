"""When a container is given the GPU, and what is said when its engine has none to give."""

import pytest

from runners import container_gpu
from runners.engines import Engine

pytestmark = pytest.mark.fast

NO_TOOLKIT = 'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]].'
NO_DRIVER = (
    "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object "
    "file: no such file or directory"
)
NO_CDI = "Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all"


@pytest.fixture()
def engine(tmp_path, monkeypatch):
    """Make a client that fails with a complaint, or where that is empty starts every container."""

    def make(name, complaint=""):
        ends = f"cat >&2 <<'END'\n{complaint}\nEND\nexit 125" if complaint else "exit 0"
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n{ends}\n')
        (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return Engine(name, "27.5.1", rootless=False)

    make.asked = tmp_path / "asked"
    return make


@pytest.mark.parametrize(("name", "option"), [("docker", "--gpus=all"), ("podman", "--device=nvidia.com/gpu=all")])
def test_verify_is_given_the_gpu_and_a_place_for_what_the_driver_compiles(engine, name, option, capfd):
    options = container_gpu.options(engine(name), "ferry:gpu-1")
    assert options == [option, "--mount=type=volume,src=ferry-cuda-cache,dst=/var/cache/ferry-cuda"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "complaint", "reason"),
    [
        ("docker", NO_TOOLKIT, "this Docker has no NVIDIA Container Toolkit"),
        ("docker", "unknown flag: --gpus", "this Docker has no NVIDIA Container Toolkit"),
        ("docker", NO_DRIVER, "there is no working NVIDIA driver on this machine"),
        ("podman", NO_CDI, "this Podman has no description of a GPU (`sudo nvidia-ctk cdi generate"),
        ("docker", "Error: a new one", "docker cannot give a container the GPU: Error: a new one"),
    ],
)
def test_an_engine_that_cannot_gives_way_to_the_cpu_with_one_line(engine, name, complaint, reason, capfd):
    options = container_gpu.options(engine(name, complaint), "ferry:gpu-1")
    assert options == []
    said = capfd.readouterr().err
    assert said.startswith(f"ferry: DEVICE=gpu: {reason}")
    assert said.endswith("; TensorFlow runs on the CPU\n")
    assert said.count("\n") == 1
