"""Containers that outlive their runner are found by the notes that it leaves."""

import os
import signal
import subprocess
import sys

import pytest

from programs import ROOT
from runners import leftovers

pytestmark = pytest.mark.fast


@pytest.fixture()
def engine(tmp_path, monkeypatch):
    """An engine that removes every container, or where a complaint is given none."""

    def make(complaint=""):
        removes = f"echo '{complaint}' >&2; exit 1" if complaint else 'printf "%s\\n" "$@"'
        (tmp_path / "docker").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n{removes}\n')
        (tmp_path / "docker").chmod(0o755)

    make.asked = lambda: (tmp_path / "asked").read_text().splitlines() if (tmp_path / "asked").exists() else []
    make()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return make


@pytest.fixture()
def killed(tmp_path):
    """The folder with the notes of a runner that was killed while two containers ran."""
    folder = tmp_path / "build" / ".work"
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
from pathlib import Path
from runners import leftovers
folder = Path({str(folder)!r})
with leftovers.noted(folder, "docker", "ferry-1"), leftovers.noted(folder, "docker", "ferry-2"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    return folder


def test_a_later_run_ends_what_a_killed_one_has_left(killed, engine, capsys):
    leftovers.sweep(killed)
    assert engine.asked() == ["kill ferry-1 ferry-2", "rm --force ferry-1 ferry-2"]
    assert capsys.readouterr().err == "ferry: ended what a killed run had left running: ferry-1, ferry-2\n"
    assert list(killed.iterdir()) == []
    leftovers.sweep(killed)
    assert len(engine.asked()) == 2


def test_one_that_has_ended_meanwhile_is_not_spoken_of(killed, engine, capsys):
    engine("Error response from daemon: No such container: ferry-1")
    leftovers.sweep(killed)
    assert capsys.readouterr().err == ""
    assert list(killed.iterdir()) == []


def test_a_warning_is_no_refusal(killed, engine, tmp_path):
    (tmp_path / "docker").write_text("#!/bin/sh\necho 'level=warning msg=late' >&2\n")
    leftovers.sweep(killed)
    assert list(killed.iterdir()) == []


def test_an_engine_that_does_not_answer_is_asked_again_later(killed, engine, capsys):
    engine("Cannot connect to the Docker daemon")
    leftovers.sweep(killed)
    assert len(list(killed.iterdir())) == 2
    engine()
    leftovers.sweep(killed)
    assert list(killed.iterdir()) == []


def test_what_runs_is_left_alone_and_a_run_that_ends_leaves_nothing(tmp_path, engine):
    with leftovers.noted(tmp_path / ".work", "docker", "ferry-3"):
        # The lock is the open file's, so this process asks as another one would.
        leftovers.sweep(tmp_path / ".work")
        assert [path.name for path in (tmp_path / ".work").iterdir()] == ["ferry-3.container"]
    assert list((tmp_path / ".work").iterdir()) == []
    leftovers.sweep(tmp_path / ".work")
    leftovers.sweep(tmp_path / "nowhere")
    assert engine.asked() == []


@pytest.mark.parametrize("text", ["", "docker", "docker a b", "\xff\xfe"])
def test_a_damaged_note_stops_nothing(tmp_path, engine, text):
    (tmp_path / "ferry-4.container").write_bytes(text.encode("latin-1"))
    leftovers.sweep(tmp_path)
    assert engine.asked() == []


def test_a_container_has_a_name_of_its_own_and_labels():
    first, second = leftovers.new_name(), leftovers.new_name()
    assert first != second
    assert f"--name={first}" in leftovers.options(first)
    assert f"--label=ferry.runner={os.getpid()}" in leftovers.options(first)
    assert leftovers.options(first)[1:] == leftovers.options(second)[1:]
