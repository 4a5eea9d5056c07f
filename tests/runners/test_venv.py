"""The environment with no container: made once, remade when the lock changes, never half-made."""

import os
import re
import stat
import subprocess
import sys

import pytest

from programs import ROOT
from runners import interpreter, uv, venv
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

# iniconfig and pluggy are small, and the tests' own environment has them in uv's cache.
PACKAGES = ("iniconfig", "pluggy")


def lock_of(*packages):
    text = (ROOT / "requirements.lock").read_text()
    return "".join(re.search(rf"^{name}==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL).group() for name in packages)


@pytest.fixture()
def small(tmp_path, monkeypatch):
    """An environment of one small package, in a folder of the test's own."""
    monkeypatch.setattr(venv, "ENVIRONMENTS", tmp_path / "environments")
    lock = tmp_path / "requirements.lock"
    lock.write_text(lock_of("iniconfig"))
    return venv.Environment("small", lock, download_mb=1, disk_mb=10)


def imports(python, module):
    return subprocess.run([str(python), "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0


def test_it_is_made_from_the_lock_and_reused(small, capfd):
    python = venv.ensure(small)
    assert imports(python, "iniconfig")
    announced = capfd.readouterr().err
    assert "once: up to 1 MB to download, 10 MB on disk" in announced
    made = small.marker.stat().st_mtime_ns
    assert venv.ensure(small) == python
    assert small.marker.stat().st_mtime_ns == made
    assert capfd.readouterr().err == ""


def test_a_changed_lock_makes_it_anew(small):
    venv.ensure(small)
    small.lock.write_text(lock_of("pluggy"))
    python = venv.ensure(small)
    assert imports(python, "pluggy")
    assert not imports(python, "iniconfig")


def test_an_install_that_fails_leaves_the_old_one_and_nothing_that_looks_ready(small):
    python = venv.ensure(small)
    small.lock.write_text(re.sub(r"sha256:\w{4}", "sha256:0000", lock_of("pluggy")))
    with pytest.raises(RunnerError, match="the install failed"):
        venv.ensure(small)
    assert not small.is_ready()
    assert imports(python, "iniconfig")
    small.lock.write_text(lock_of("iniconfig"))
    assert small.is_ready()


def test_a_package_without_a_hash_is_refused(small):
    small.lock.write_text("iniconfig==2.1.0\n")
    with pytest.raises(RunnerError, match="the install failed"):
        venv.ensure(small)
    assert not small.folder.exists()


def test_an_interrupted_install_does_not_look_ready(small, monkeypatch):
    step = venv._step

    def interrupted(command, variables, what):
        if what == "the install":
            raise KeyboardInterrupt
        step(command, variables, what)

    monkeypatch.setattr(venv, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        venv.ensure(small)
    assert not small.is_ready()
    assert not small.folder.exists()
    monkeypatch.setattr(venv, "_step", step)
    assert imports(venv.ensure(small), "iniconfig")


def test_it_is_made_anew_when_its_interpreter_is_gone(small):
    python = venv.ensure(small)
    python.unlink()
    assert not small.is_ready()
    assert imports(venv.ensure(small), "iniconfig")


def test_two_at_once_make_it_once(small, tmp_path):
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "scripts")!r})
from runners import venv
venv.ENVIRONMENTS = Path({str(venv.ENVIRONMENTS)!r})
venv.ensure(venv.Environment("small", Path({str(small.lock)!r}), 1, 10))
"""
    started = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(2)]
    messages = b"".join(process.communicate()[1] for process in started)
    assert [process.returncode for process in started] == [0, 0]
    assert messages.count(b"making the environment") == 1


def test_too_little_room_is_said_before_anything_is_fetched(small, capfd):
    large = small._replace(disk_mb=10**9)
    with pytest.raises(RunnerError, match="1000000.0 GB on the disk of .*, which has .* free"):
        venv.ensure(large)
    assert not large.folder.exists()


def test_what_is_announced_is_what_it_takes():
    folder = venv.TF24.folder
    if not folder.exists():
        folder = type(folder)(sys.prefix)
    seen, total = set(), 0
    for parent, _, files in os.walk(str(folder)):
        for name in files:
            entry = os.lstat(os.path.join(parent, name))
            if entry.st_ino not in seen and stat.S_ISREG(entry.st_mode):
                seen.add(entry.st_ino)
                total += entry.st_size
    assert total / 1e6 == pytest.approx(venv.TF24.disk_mb, rel=0.05)


@pytest.fixture()
def no_python38(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def answering(path):
    return script(path, f'exec "{os.path.realpath(sys.executable)}" "$@"\n')


def test_a_python38_on_path_is_taken(no_python38):
    there = answering(no_python38 / "python3.8")
    assert interpreter.find("3.8", uv.ensure(), {}) == str(there)


def test_a_shim_that_does_not_answer_is_passed_over_for_pyenvs_version(no_python38):
    script(no_python38 / "python3.8", 'echo "pyenv: python3.8: command not found" >&2; exit 127\n')
    there = answering(no_python38 / "pyenv" / "versions" / "3.8.18" / "bin" / "python")
    assert interpreter.find("3.8", uv.ensure(), {}) == str(there)


def test_the_newest_of_pyenvs_is_taken(no_python38):
    for patch in (9, 18):
        answering(no_python38 / "pyenv" / "versions" / f"3.8.{patch}" / "bin" / "python")
    assert "3.8.18" in interpreter.find("3.8", uv.ensure(), {})


def test_another_python_under_that_name_is_not_taken():
    assert interpreter.answers(sys.executable, "3.8")
    assert not interpreter.answers(sys.executable, "3.11")
    assert not interpreter.answers("/bin/true-that-is-not-there", "3.8")
    assert not interpreter.answers("/bin/false", "3.8")


def test_with_none_anywhere_it_says_what_to_install(no_python38):
    answers_nothing = script(no_python38 / "uv", "exit 2\n")
    with pytest.raises(RunnerError, match="pyenv install 3.8"):
        interpreter.find("3.8", answers_nothing, dict(os.environ))


def test_a_machine_the_wheels_do_not_run_on_is_told_so(small, monkeypatch):
    monkeypatch.setattr(venv.platform, "machine", lambda: "aarch64")
    with pytest.raises(RunnerError, match="x86-64 Linux only, and this is aarch64 Linux"):
        venv.ensure(small)


def test_a_ready_environment_starts_no_process(small, monkeypatch):
    venv.ensure(small)

    def started(*arguments, **_options):
        raise AssertionError(arguments)

    monkeypatch.setattr(subprocess, "Popen", started)
    assert venv.ensure(small) == small.python
