"""The engine's command line for a stage."""

import os

import pytest

from runners import container
from runners.engines import Engine

pytestmark = pytest.mark.fast

DOCKER = Engine("docker", "20.10.24", rootless=False)
ME = f"--user={os.getuid()}:{os.getgid()}"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "ROOT", tmp_path)
    return tmp_path


def mounts(command):
    return [word for word in command if word.startswith("--mount=")]


def test_a_stage_sees_what_it_is_shown_and_writes_to_one_folder(root):
    program = ["scripts/onnx_to_tf.py", "--input=build/a/model.onnx", "--output=build/.work/x/model.pb"]
    command = container.command(DOCKER, "ferry:cpu-1", program, [], ["build/a/model.onnx", "/far"], "build/.work/x")
    assert mounts(command) == [
        "--mount=type=bind,src=/far,dst=/far,readonly",
        f"--mount=type=bind,src={root}/build/a/model.onnx,dst=/ferry/build/a/model.onnx,readonly",
        f"--mount=type=bind,src={root}/build/.work/x,dst=/ferry/build/.work/x",
    ]
    assert command[-len(program) - 2 :] == ["ferry:cpu-1", "-s", *program]


def test_a_program_that_is_shown_nothing_has_no_mounts():
    # What looks like an option of a stage's means nothing here.
    assert mounts(container.command(DOCKER, "i", ["-c", "1", "--output", "build/a/x", "--model", "/etc/passwd"])) == []


def test_a_comma_in_the_path_does_not_end_it(root, monkeypatch):
    monkeypatch.setattr(container, "ROOT", root / "one, two")
    command = container.command(DOCKER, "i", ["-c", "1"], reads=["models"])
    assert mounts(command) == [f'--mount=type=bind,"src={root}/one, two/models",dst=/ferry/models,readonly']


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (DOCKER, [ME, "--userns=host"]),
        (Engine("podman", "", rootless=False), [ME, "--userns=host"]),
        (Engine("podman", "", rootless=True), [ME, "--userns=keep-id"]),
        (Engine("docker", "", rootless=True), ["--user=0:0"]),
    ],
)
def test_the_caller_is_the_same_user_inside(engine, expected):
    command = container.command(engine, "i", ["-c", "1"])
    assert [word for word in command if word.startswith("--user")] == expected


def test_memory_is_limited_and_the_limit_can_be_set(monkeypatch):
    monkeypatch.delenv("MEMORY", raising=False)
    limit = next(word for word in container.command(DOCKER, "i", ["-c"]) if word.startswith("--memory="))
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0.7 * total < int(limit.split("=")[1]) < 0.8 * total
    monkeypatch.setenv("MEMORY", "8g")
    assert "--memory=8g" in container.command(DOCKER, "i", ["-c"])
