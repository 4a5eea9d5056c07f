"""What the doctor says of a machine, and that it can say it before there is any environment."""

import re
import shutil

import pytest

from programs import ROOT, run
from runners import doctor, engines, sandbox_probe, venv

pytestmark = pytest.mark.fast


@pytest.fixture()
def on(monkeypatch):
    """A machine with the engines of the test's choice."""

    def machine(**answers):
        monkeypatch.setattr(engines, "ask", lambda name: answers.get(name, engines.Silence(name, None)))

    return machine


def findings(capsys):
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in capsys.readouterr().out.splitlines())


def test_each_engine_is_described(on, capsys, monkeypatch):
    monkeypatch.setattr(engines, "info", lambda _: {})
    on(docker=engines.Engine("docker", "27.5.1", rootless=True), podman=engines.Silence("podman", "no space"))
    doctor.examine()
    found = findings(capsys)
    assert found["docker"] == "27.5.1, rootless: RUNNER=docker works"
    assert found["podman"] == "there, but fails: no space"
    assert found["RUNNER unset"] == "docker: docker 27.5.1 answers"


def test_no_engine_is_no_fault(on, capsys, monkeypatch):
    on()
    monkeypatch.setattr(venv.Environment, "is_ready", lambda _: True)
    assert doctor.examine() == 0
    assert "there is no Docker engine" in findings(capsys)["docker"]


def test_a_sandbox_is_named_with_what_it_does(on, capsys, monkeypatch, tmp_path):
    on()
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bubblewrap 0.9.0\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setattr(sandbox_probe, "ask", lambda: sandbox_probe.Works([f"{tmp_path}/bwrap"]))
    doctor.examine()
    assert findings(capsys)["sandbox"].startswith("bubblewrap 0.9.0: with RUNNER=venv a stage has no network")


def test_that_there_is_none_is_no_fault_and_has_a_remedy(on, capsys, monkeypatch, tmp_path):
    on()
    monkeypatch.setattr(venv.Environment, "is_ready", lambda _: True)
    monkeypatch.setattr(sandbox_probe.shutil, "which", lambda _: None)
    assert doctor.examine() == 0
    found = findings(capsys)["sandbox"]
    assert found.startswith("none: with RUNNER=venv a model file can do what you can")
    assert "sudo apt install bubblewrap" in found


def test_a_machine_the_wheels_do_not_run_on_is_one(on, capsys, monkeypatch):
    on()
    monkeypatch.setattr(doctor.platform, "machine", lambda: "aarch64")
    assert doctor.examine() == 1
    assert findings(capsys)["machine"].endswith("the pinned packages are for x86-64 Linux only")


def test_too_little_room_for_an_environment_is_one(on, capsys, monkeypatch):
    on()
    monkeypatch.setattr(venv.Environment, "is_ready", lambda _: False)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 10**9))
    assert doctor.examine() == 1
    found = findings(capsys)
    takes = f"an environment takes {venv.TF24.disk_mb / 1000:.1f} GB (TF=2.4) or {venv.TF22.disk_mb / 1000:.1f} GB"
    assert found["disk"].startswith(f"1.0 GB free beside the checkout: {takes}")
    assert found["venv, TF=2.4"].startswith(
        "not made yet: the first stage that runs there makes it from requirements.lock"
    )
    assert found["venv, TF=2.2"].endswith("makes it from requirements/tf2.2.lock")


def test_a_gpu_is_named_with_its_driver(on, capsys, monkeypatch, tmp_path):
    on()
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA A10, 535.104.05'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    doctor.examine()
    assert findings(capsys)["GPU"].startswith("NVIDIA A10, driver 535.104.05: DEVICE=gpu lets `make verify` run")
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA A10, 450.51.06'\n")
    doctor.examine()
    assert "CUDA 11 needs driver 450.80.02 or newer, so every stage runs on the CPU" in findings(capsys)["GPU"]


@pytest.mark.parametrize(
    ("runtimes", "meaning"),
    [
        ('{"runc": {}, "nvidia": {}}', "it can give a container the GPU"),
        ('{"runc": {}}', "it shows no sign of the NVIDIA Container Toolkit"),
    ],
)
def test_an_engine_is_described_by_what_its_api_says(on, capsys, monkeypatch, tmp_path, runtimes, meaning):
    on(docker=engines.Engine("docker", "27.5.1", rootless=False))
    said = f'{{"DockerRootDir": "{tmp_path}", "Runtimes": {runtimes}}}'
    for name, text in (("nvidia-smi", "NVIDIA A10, 535.104.05"), ("docker", said)):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{text}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 5 * 10**9))
    doctor.examine()
    assert findings(capsys)["docker"] == (
        f"27.5.1, run by root: RUNNER=docker works; 5.0 GB free for its images; {meaning}"
    )


def test_it_makes_no_environment_to_say_so(tmp_path):
    folder = tmp_path / "ferry"
    kept_out = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")
    shutil.copytree(str(ROOT), str(folder), ignore=kept_out)
    done = run("make", "doctor", cwd=str(folder))
    assert re.findall(r"^venv, TF=(\S+) +not made yet", done.stdout, re.MULTILINE) == ["2.4", "2.2"]
    assert not (folder / ".venv").exists()
