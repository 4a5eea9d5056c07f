import pytest

from runners import choose, engines
from runners.errors import RunnerError


@pytest.fixture()
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(
        engines.shutil, "which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None
    )

    def write(name, text):
        (tmp_path / name).write_text("#!/bin/sh\n" + text)
        (tmp_path / name).chmod(0o755)

    return write


def test_with_no_engine_it_is_venv(path):
    assert choose.choose("") == ("venv", "no Docker engine answers, and there is no Podman")


def test_a_docker_client_without_an_engine_is_no_engine(path):
    path("docker", 'echo "Cannot connect to the Docker daemon" >&2; echo; exit 1\n')
    assert engines.version("docker") is None
    assert choose.choose("")[0] == "venv"


def test_an_engine_that_hangs_is_no_engine(path, monkeypatch):
    monkeypatch.setattr(engines, "SECONDS_TO_ANSWER", 0.2)
    path("docker", "exec sleep 30\n")
    assert engines.version("docker") is None


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_that_answers_is_named(path, engine, monkeypatch):
    path(engine, "echo 20.10.24\n")
    assert engines.version(engine) == "20.10.24"
    choice, reason = choose.choose("")
    assert choice == "venv"
    assert f"{engine} 20.10.24 answers, but there are no images" in reason
    monkeypatch.setattr(choose, "BUILT", ("docker", "podman", "venv"))
    assert choose.choose("") == (engine, f"{engine} 20.10.24 answers")


def test_docker_comes_before_podman(path, monkeypatch):
    monkeypatch.setattr(choose, "BUILT", ("docker", "podman", "venv"))
    path("docker", "echo 20.10.24\n")
    path("podman", "echo 4.3.1\n")
    assert choose.choose("")[0] == "docker"


def test_what_the_user_says_is_taken():
    assert choose.choose("venv") == ("venv", "as RUNNER says")


def test_an_unknown_runner_is_an_error():
    with pytest.raises(RunnerError, match="there is no RUNNER 'lxc'; it is one of docker, podman, venv"):
        choose.choose("lxc")


def test_a_runner_to_come_says_so():
    with pytest.raises(RunnerError, match="RUNNER=docker has no image to run in yet; use RUNNER=venv"):
        choose.choose("docker")
