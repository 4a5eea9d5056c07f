import re

import pytest

from runners import choose, engines
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

DOCKER = '{"ServerVersion": "20.10.24", "SecurityOptions": ["name=seccomp,profile=default"]}'
ROOTLESS_DOCKER = '{"ServerVersion": "27.5.1", "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}'
PODMAN = '{"version": {"Version": "4.3.1"}, "host": {"security": {"rootless": false}}}'
ROOTLESS_PODMAN = PODMAN.replace("false", "true")


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
    path("docker", 'echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; echo; exit 1\n')
    assert engines.ask("docker") == engines.Silence("docker", None)
    assert choose.choose("")[0] == "venv"
    with pytest.raises(RunnerError, match="there is no Docker engine: .*; RUNNER=venv needs none"):
        engines.need("docker")


@pytest.mark.parametrize("code", [0, 1])
def test_a_client_that_answers_for_itself_alone_is_no_engine(path, code):
    # As Docker 20.10's client does, which ends with 0.
    errors = '{"ServerErrors": ["Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"]}'
    path("docker", f"echo '{errors}'; exit {code}\n")
    assert engines.ask("docker") == engines.Silence("docker", None)


@pytest.mark.parametrize("code", [0, 1])
def test_a_socket_that_refuses_is_an_engine_in_trouble(path, code):
    path("docker", f"""echo '{{"ServerErrors": ["{REFUSED}"]}}'; exit {code}\n""")
    assert engines.ask("docker").trouble.startswith("its socket refuses this user (permission denied)")


def test_podmans_stand_in_for_docker_is_no_docker(path):
    path("docker", 'echo "Emulate Docker CLI using podman." >&2; echo; exit 125\n')
    assert engines.ask("docker") == engines.Silence("docker", None)


REFUSED = "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("complaint", "trouble"),
    [
        (REFUSED, "its socket refuses this user .*sudo usermod -aG docker"),
        ("write /var/lib/docker/tmp/x: no space left on device", "no space left on its disk"),
        ("Error: cannot re-exec process", "Error: cannot re-exec process"),
    ],
)
def test_an_engine_in_trouble_is_not_taken_for_none(path, complaint, trouble):
    path("docker", f'echo "{complaint}" >&2; exit 1\n')
    choice, reason = choose.choose("")
    assert choice == "venv"
    assert re.search(f"docker is there, but fails: {trouble}", reason)
    with pytest.raises(RunnerError, match=f"docker is there, but fails: {trouble}"):
        engines.need("docker")


def test_an_engine_that_hangs_is_in_trouble(path, monkeypatch):
    monkeypatch.setattr(engines, "SECONDS_TO_ANSWER", 0.2)
    path("docker", "exec sleep 30\n")
    assert engines.ask("docker") == engines.Silence("docker", "it has not answered within 0.2 s")


def test_docker_in_trouble_makes_way_for_podman_and_says_so(path):
    path("docker", f'echo "{REFUSED}" >&2; exit 1\n')
    path("podman", f"echo '{ROOTLESS_PODMAN}'\n")
    choice, reason = choose.choose("")
    assert choice == "podman"
    assert reason.startswith("podman 4.3.1 answers; docker is there, but fails: its socket refuses this user")


@pytest.mark.parametrize(
    ("engine", "answer", "rootless"),
    [
        ("docker", DOCKER, False),
        ("docker", ROOTLESS_DOCKER, True),
        ("podman", PODMAN, False),
        ("podman", ROOTLESS_PODMAN, True),
    ],
)
def test_an_engine_that_answers_is_the_runner(path, engine, answer, rootless):
    path(engine, f"echo '{answer}'\n")
    version = re.search(r"\d+\.\d+\.\d+", answer).group()
    assert engines.need(engine) == engines.Engine(engine, version, rootless)
    assert choose.choose("") == (engine, f"{engine} {version} answers")


def test_docker_comes_before_podman(path):
    path("docker", f"echo '{DOCKER}'\n")
    path("podman", f"echo '{PODMAN}'\n")
    assert choose.choose("")[0] == "docker"


def test_what_the_user_says_is_taken():
    assert choose.choose("venv") == ("venv", "as RUNNER says")
    assert choose.choose("docker") == ("docker", "as RUNNER says")


def test_an_unknown_runner_is_an_error():
    with pytest.raises(RunnerError, match="there is no RUNNER 'lxc'; it is one of docker, podman, venv"):
        choose.choose("lxc")


def test_the_images_own_runner_is_for_the_image(monkeypatch):
    with pytest.raises(RunnerError, match="there is no RUNNER 'image'"):
        choose.choose("image")
    monkeypatch.setenv("FERRY_IMAGE", "cpu")
    assert choose.choose("image")[0] == "image"
