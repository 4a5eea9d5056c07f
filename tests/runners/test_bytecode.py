"""Ferry's modules are compiled once for the stages that cannot write beside them."""

import os
import sys

import pytest

from runners import bytecode

pytestmark = pytest.mark.fast


@pytest.fixture()
def module(tmp_path, monkeypatch):
    """A module of a checkout's own."""
    (tmp_path / "scripts" / "room").mkdir(parents=True)
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(bytecode, "SOURCES", tmp_path / "scripts")
    monkeypatch.setattr(bytecode, "ENVIRONMENTS", tmp_path / ".venv")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    module = tmp_path / "scripts" / "room" / "module.py"
    module.write_text("x = 1\n")
    return module


def compiled(module):
    return sorted(module.parent.glob("__pycache__/*.pyc"))


def test_it_is_done_once_until_a_source_changes(module):
    bytecode.ensure(sys.executable)
    (made,) = compiled(module)
    made.unlink()
    bytecode.ensure(sys.executable)
    assert compiled(module) == []
    os.utime(str(module), (2e9, 2e9))
    bytecode.ensure(sys.executable)
    assert compiled(module) == [made]


def test_a_source_that_is_no_python_stops_nothing(module, capfd):
    module.write_text("x = (\n")
    bytecode.ensure(sys.executable)
    assert capfd.readouterr() == ("", "")


def test_who_wants_none_gets_none(module, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    bytecode.ensure(sys.executable)
    assert compiled(module) == []


def test_a_folder_that_cannot_be_written_is_no_trouble(module, monkeypatch, tmp_path):
    monkeypatch.setattr(bytecode, "ENVIRONMENTS", tmp_path / "nowhere")
    bytecode.ensure(sys.executable)
    assert len(compiled(module)) == 1
