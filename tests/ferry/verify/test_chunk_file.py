import os

import numpy as np
import pytest

from ferry.verify import chunk_file
from ferry.verify.chunk_file import Chunk, Stored

pytestmark = pytest.mark.fast

CHUNK = Chunk([np.arange(6.0).reshape(2, 3)], [np.arange(6, dtype=np.float32).reshape(2, 3)])


def same(held, wanted=CHUNK):
    for ours, theirs in zip([*held.reference, *held.float32], [*wanted.reference, *wanted.float32]):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    return True


def test_a_chunk_comes_back_as_it_was(tmp_path):
    assert same(chunk_file.read(chunk_file.write(str(tmp_path / "a"), CHUNK)))


def test_the_same_chunk_is_the_same_file(tmp_path):
    first, second = (chunk_file.write(str(tmp_path / name), CHUNK) for name in "ab")
    assert first.sha256 == second.sha256


def test_without_float64_it_is_kept_once(tmp_path):
    held = chunk_file.read(chunk_file.write(str(tmp_path / "a"), Chunk(CHUNK.float32, CHUNK.float32)))
    assert held.reference is held.float32
    np.testing.assert_array_equal(held.float32[0], CHUNK.float32[0])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing", "pickle", "another valid one", "a folder"])
def test_what_is_not_what_was_written_is_none(tmp_path, damage):
    path = tmp_path / "a.npz"
    stored = chunk_file.write(str(path), CHUNK)
    data = bytearray(path.read_bytes())
    data[len(data) // 4] ^= 1
    if damage in ("missing", "a folder"):
        path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage == "pickle":
        np.savez(path, reference_0=np.array([{}], object))
    elif damage == "another valid one":
        chunk_file.write(str(path), Chunk([CHUNK.reference[0] + 1], CHUNK.float32))
    elif damage != "missing":
        path.write_bytes({"cut": data[:100], "flipped": data, "empty": b""}[damage])
    assert chunk_file.read(stored) is None
    assert chunk_file.take(stored, str(tmp_path / "b")) is None
    assert not (tmp_path / "b").exists()


def test_what_is_taken_outlives_what_it_was_taken_from(tmp_path):
    stored = chunk_file.write(str(tmp_path / "a"), CHUNK)
    assert same(chunk_file.take(stored, str(tmp_path / "b")))
    (tmp_path / "a").unlink()
    assert same(chunk_file.read(Stored(str(tmp_path / "b"), stored.sha256)))


def test_what_cannot_be_linked_is_copied(tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", no_link)
    stored = chunk_file.write(str(tmp_path / "a"), CHUNK)
    chunk_file.take(stored, str(tmp_path / "b"))
    assert same(chunk_file.read(Stored(str(tmp_path / "b"), stored.sha256)))


def test_where_it_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        chunk_file.write(str(tmp_path / "nowhere" / "a"), CHUNK)
