"""The engine's command line for a stage."""

import os

import pytest

from runners import container
from runners.engines import Engine
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

DOCKER = Engine("docker", "20.10.24", rootless=False)
ME = f"--user={os.getuid()}:{os.getgid()}"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "ROOT", tmp_path)
    return tmp_path


def mounts(command):
    return [word for word in command if word.startswith("--mount=")]


def test_a_stage_is_given_its_own_folders_only(root):
    program = ["scripts/export_onnx.py", "--model", "models/a.py", "--output", "build/a/model.onnx"]
    command = container.command(DOCKER, "ferry:cpu-1", program)
    assert mounts(command) == [
        f"--mount=type=bind,src={root}/models,dst=/ferry/models,readonly",
        f"--mount=type=bind,src={root}/build/a,dst=/ferry/build/a",
    ]
    assert (root / "build" / "a").is_dir()
    assert command[-len(program) - 2 :] == ["ferry:cpu-1", "-s", *program]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (["--input", "build/a/model.onnx", "--output", "build/a/model.pb"], {"build/a": True}),
        (["--input", "build/a/model.onnx", "--output", "build/b/model.pb"], {"build/a": False, "build/b": True}),
        (["--model", "models/a.py", "--build", "build/a"], {"models": False, "build/a": True}),
        (["-c", "1"], {}),
    ],
)
def test_what_is_written_to_is_writable_and_the_rest_is_not(program, expected):
    assert container.folders(program) == expected


@pytest.mark.parametrize("name", ["images", "images/one.npz", "inputs.npz"])
def test_given_inputs_are_given_alone_and_to_read(root, name):
    (root / "images").mkdir()
    for file in ("images/one.npz", "inputs.npz", "secret"):
        (root / file).write_text("")
    program = ["scripts/verify.py", "--model", "models/a.py", "--build", "build/a", "--inputs", name]
    assert container.folders(program) == {"models": False, "build/a": True, name: False}
    assert f"--mount=type=bind,src={root}/{name},dst=/ferry/{name},readonly" in mounts(
        container.command(DOCKER, "i", program)
    )


@pytest.mark.parametrize("name", ["uniform:0:1", "missing.npz"])
def test_inputs_that_are_no_file_are_the_stages_to_judge(name):
    assert container.folders(["--inputs", name]) == {}


def test_inputs_outside_the_checkout_are_given_alone():
    command = container.command(DOCKER, "i", ["--inputs", "/etc/passwd"])
    assert mounts(command) == ["--mount=type=bind,src=/etc/passwd,dst=/etc/passwd,readonly"]


def test_a_comma_in_the_path_does_not_end_it(root, monkeypatch):
    monkeypatch.setattr(container, "ROOT", root / "one, two")
    command = container.command(DOCKER, "i", ["--model", "models/a.py"])
    assert mounts(command) == [f'--mount=type=bind,"src={root}/one, two/models",dst=/ferry/models,readonly']


@pytest.fixture()
def no_home(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root / "home"))
    monkeypatch.setattr(container, "ANYBODYS", (str(root / "tmp"),))
    return root


def test_a_model_outside_the_checkout_is_given_with_its_folder(no_home):
    program = ["--model", f"../{no_home.name}/mine/a.py", "--weights", "/elsewhere/w.pth"]
    command = container.command(DOCKER, "i", program)
    assert mounts(command) == [
        f"--mount=type=bind,src={no_home}/mine,dst={no_home}/mine,readonly",
        "--mount=type=bind,src=/elsewhere,dst=/elsewhere,readonly",
    ]
    assert command[-4:] == ["--model", f"{no_home}/mine/a.py", "--weights", "/elsewhere/w.pth"]


@pytest.mark.parametrize("folder", ["home", "tmp", ".", "/etc", "/usr/share/models", "/"])
def test_of_a_folder_that_holds_much_else_it_is_given_the_file_alone(no_home, folder, capsys):
    model = os.path.normpath(no_home / folder / "a.py")
    command = container.command(DOCKER, "i", ["--model", model])
    assert mounts(command) == [f"--mount=type=bind,src={model},dst={model},readonly"]
    assert f"the container sees {model} alone" in capsys.readouterr().err


def test_a_folder_of_the_home_is_given_and_the_home_is_not(no_home):
    command = container.command(DOCKER, "i", ["--model", str(no_home / "home" / "project" / "a.py")])
    assert mounts(command) == [f"--mount=type=bind,src={no_home}/home/project,dst={no_home}/home/project,readonly"]


@pytest.mark.parametrize("build", ["/elsewhere", "../other", ".", "./build/.."])
def test_nothing_is_written_outside_the_checkout(build):
    with pytest.raises(RunnerError, match="writes to folders below the checkout only"):
        container.command(DOCKER, "i", ["--build", build])


def test_a_build_folder_that_cannot_be_made_is_one_sentence(root):
    (root / "build").write_text("a file in its place")
    with pytest.raises(RunnerError, match="cannot make the folder build/a: "):
        container.command(DOCKER, "i", ["--build", "build/a"])


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
