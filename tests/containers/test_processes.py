"""A container ends with its client or with its runner, or is ended by the next run; and when its time is over."""

import os
import signal
import subprocess
import time

import pytest

from programs import run

pytestmark = pytest.mark.slow


@pytest.fixture()
def hanging(engine, client, hanging_checkout):
    """A make whose stage hangs in a container, the leader of a process group; and that container."""
    built = run("make", "image", f"RUNNER={engine.name}", cwd=str(hanging_checkout), timeout=600)
    assert built.returncode == 0, built.stderr
    make = subprocess.Popen(
        ["make", "onnx", f"RUNNER={engine.name}"], cwd=str(hanging_checkout), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        # Before that it says which runner it has taken.
        assert "up\n" in iter(make.stdout.readline, "")
        yield make, started(client)
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGKILL)
        make.communicate()
        for container in running(client):
            container.remove(force=True)


def running(client):
    return client.containers.list(filters={"label": "ferry.checkout"})


def started(client, seconds=30):
    """The container that runs. It may have printed before its engine says that it runs."""
    deadline = time.time() + seconds
    while time.time() < deadline and not running(client):
        time.sleep(0.1)
    (container,) = running(client)
    return container


def is_gone(client, seconds=30):
    deadline = time.time() + seconds
    while time.time() < deadline and running(client):
        time.sleep(0.1)
    return not running(client)


def notes(checkout):
    return sorted((checkout / "build" / ".work").glob("*.container"))


def client_process(engine, group):
    """The process of the engine's client in a process group."""
    listed = run("ps", "-eo", "pid=,pgid=,comm=").stdout.splitlines()
    (found,) = (int(pid) for pid, of, name in map(str.split, listed) if (int(of), name) == (group, engine.name))
    return found


def test_it_has_a_name_that_is_noted_as_long_as_it_runs(hanging, hanging_checkout):
    _, container = hanging
    assert container.name.startswith("ferry-")
    assert [note.stem for note in notes(hanging_checkout)] == [container.name]


def test_a_killed_client_takes_its_container_along(engine, client, hanging, hanging_checkout):
    make, _ = hanging
    os.kill(client_process(engine, make.pid), signal.SIGKILL)
    said, _ = make.communicate(timeout=60)
    assert make.returncode != 0
    assert "was ended by SIGKILL" in said
    assert is_gone(client)
    assert notes(hanging_checkout) == []


def test_what_was_killed_with_its_client_is_ended_by_the_next_run(engine, client, hanging, hanging_checkout):
    make, container = hanging
    os.killpg(make.pid, signal.SIGKILL)
    make.communicate(timeout=60)
    # This is what used to run on for ever.
    assert [left.name for left in running(client)] == [container.name]
    done = run("make", "onnx", f"RUNNER={engine.name}", "TIMEOUT=1s", cwd=str(hanging_checkout))
    assert f"ferry: ended what a killed run had left running: {container.name}\n" in done.stderr
    assert is_gone(client)
    assert notes(hanging_checkout) == []


def test_one_that_hangs_is_ended_after_its_time(engine, client, hanging_checkout):
    done = run("make", "onnx", f"RUNNER={engine.name}", "TIMEOUT=3", cwd=str(hanging_checkout))
    assert done.returncode != 0
    assert "export_onnx" in done.stderr
    assert "had not ended after 3 s, which TIMEOUT sets as its limit, and was ended" in done.stderr
    assert is_gone(client, seconds=1)
    assert not (hanging_checkout / "build" / "mobilenet_v2" / "model.onnx").exists()
