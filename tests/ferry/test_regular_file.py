import os
import socket

import pytest

from ferry import regular_file

pytestmark = pytest.mark.fast


def test_a_file_and_a_link_to_one_are_opened(tmp_path):
    (tmp_path / "file").write_bytes(b"held")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with regular_file.open_for_reading(str(tmp_path / name)) as file:
            assert file.read() == b"held"


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("a folder", os.mkdir),
        ("a FIFO", os.mkfifo),
        ("a socket", lambda path: socket.socket(socket.AF_UNIX).bind(path)),
        ("a device", lambda path: os.symlink("/dev/zero", path)),
    ],
)
def test_what_is_no_file_is_refused_and_not_opened(tmp_path, monkeypatch, kind, make):
    make(str(tmp_path / "odd"))
    monkeypatch.setattr(os, "open", None)
    with pytest.raises(OSError, match="not a regular file") as raised:
        regular_file.open_for_reading(str(tmp_path / "odd"))
    assert raised.value.strerror == f"it is {kind}, and not a regular file"


def test_what_took_its_place_meanwhile_is_refused_and_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "file").write_bytes(b"held")
    seen = os.stat(str(tmp_path / "file"))
    monkeypatch.setattr(os, "stat", lambda path: seen)
    with pytest.raises(OSError, match="it is a FIFO"):
        regular_file.open_for_reading(str(tmp_path / "fifo"))


def test_there_being_none_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        regular_file.open_for_reading(str(tmp_path / "none"))
