"""A real engine that does not let its caller in is not taken for none."""

import os
import shutil

import pytest

from programs import run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["docker"], indirect=True, scope="session")
def test_a_socket_that_refuses_its_caller_is_named_with_the_remedy(engine, checkout):
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if os.getuid() != 0 or not socket.startswith("unix://") or not shutil.which("setpriv"):
        pytest.skip("to be refused takes root, setpriv and the engine's socket on this machine")
    someone = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"]
    done = run(*someone, "make", "doctor", cwd=str(checkout), env={"HOME": str(checkout), "USER": "someone"})
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("docker "))
    assert line.split(maxsplit=1)[1].startswith("there, but fails: its socket refuses this user (permission denied)")
    assert "sudo usermod -aG docker someone" in line


@pytest.mark.parametrize("engine", ["docker"], indirect=True, scope="session")
def test_where_nobody_listens_there_is_none(engine, checkout):
    done = run("make", "doctor", cwd=str(checkout), env={"DOCKER_HOST": f"unix://{checkout}/nowhere.sock"})
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("docker "))
    assert line.split(maxsplit=1)[1].startswith("none: there is no Docker engine")
