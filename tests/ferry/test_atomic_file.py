import errno
import os

import pytest

from ferry import atomic_file
from ferry.errors import OutputFileError
from programs import run_python

pytestmark = pytest.mark.fast


def test_it_makes_the_folder_and_replaces_the_file(tmp_path):
    target = tmp_path / "new" / "file"
    atomic_file.write_bytes(str(target), b"one")
    atomic_file.write_bytes(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_its_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        atomic_file.write_bytes(str(tmp_path / "file"), b"one")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_what_there_was(tmp_path, monkeypatch):
    target = tmp_path / "file"
    target.write_bytes(b"before")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFileError, match="no room left on the disk"):
        atomic_file.write_bytes(str(target), b"after")
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_cut_short_by_the_system_leaves_what_there_was(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"before")
    program = """
        import resource, sys
        from ferry import atomic_file
        from ferry.errors import OutputFileError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            atomic_file.write_bytes(sys.argv[1], bytes(100_000))
        except OutputFileError as error:
            print(error)
    """
    assert "cannot write" in run_python(program, target).stdout
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputFileError, match="Not a directory"):
        atomic_file.write_bytes(str(tmp_path / "file" / "below" / "it"), b"")


def test_what_is_found_unfit_leaves_what_there_was(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"before")

    def refuse(path):
        with open(path, "rb") as file:
            assert file.read() == b"after"
        raise ValueError("unfit")

    with pytest.raises(ValueError, match="unfit"):
        atomic_file.write_pieces(str(target), [b"af", b"ter"], check=refuse)
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
