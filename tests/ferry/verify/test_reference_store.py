import json
import os

import numpy as np
import pytest

from ferry.verify import reference_store
from ferry.verify.reference_store import Chunk, ReferenceStore, key_of, path_of, read, write

pytestmark = pytest.mark.fast

CHUNK = Chunk([np.arange(6.0).reshape(2, 3)], [np.arange(6, dtype=np.float32).reshape(2, 3)])
KEY, OTHER = key_of({"model": 1}), key_of({"model": 2})


@pytest.fixture()
def folder(tmp_path):
    return str(tmp_path / "references")


def kept(folder, key=KEY):
    store = ReferenceStore(folder, key)
    store.begin()
    write(store.working, 0, CHUNK)
    store.commit({"latencies": {}})
    return store


def test_a_chunk_comes_back_as_it_was(tmp_path):
    write(str(tmp_path), 32, CHUNK)
    held = read(str(tmp_path), 32)
    for ours, theirs in zip([*held.reference, *held.float32], [*CHUNK.reference, *CHUNK.float32]):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert [name for name in os.listdir(str(tmp_path)) if "partial" in name] == []


def test_without_float64_it_is_kept_once(tmp_path):
    write(str(tmp_path), 0, Chunk(CHUNK.float32, CHUNK.float32))
    held = read(str(tmp_path), 0)
    assert held.reference is held.float32
    np.testing.assert_array_equal(held.float32[0], CHUNK.float32[0])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing", "pickle"])
def test_a_damaged_chunk_is_none(tmp_path, damage):
    write(str(tmp_path), 0, CHUNK)
    path = path_of(str(tmp_path), 0)
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if damage == "missing":
        os.unlink(path)
    elif damage == "pickle":
        np.savez(path, reference_0=np.array([{}], object))
    else:
        data[len(data) // 4] ^= 1
        with open(path, "wb") as file:
            file.write(data if damage == "flipped" else data[:100] if damage == "cut" else b"")
    assert read(str(tmp_path), 0) is None


def test_whole_references_are_found_again_by_their_key_alone(folder):
    kept(folder)
    assert ReferenceStore(folder, KEY).find() == {"latencies": {}}
    assert ReferenceStore(folder, OTHER).find() is None


def test_what_was_not_committed_is_never_found(folder):
    store = ReferenceStore(folder, KEY)
    store.begin()
    write(store.working, 0, CHUNK)
    assert ReferenceStore(folder, KEY).find() is None
    store.discard()
    assert os.listdir(folder) == []


def test_what_a_killed_check_left_goes_with_the_next(folder):
    store = ReferenceStore(folder, KEY)
    store.begin()
    write(store.working, 0, CHUNK)
    os.close(store._lock)  # As the system does when a process is killed.
    again = ReferenceStore(folder, KEY)
    assert again.find() is None
    again.begin()
    assert os.listdir(again.working) == []


def test_two_checks_at_a_time_do_not_disturb_each_other(folder):
    first, second = ReferenceStore(folder, KEY), ReferenceStore(folder, KEY)
    first.begin()
    write(first.working, 0, CHUNK)
    second.begin()
    assert second.working != first.working
    second.discard()
    first.commit({})
    assert ReferenceStore(folder, KEY).find() == {}


def test_the_references_of_another_key_give_way_when_new_ones_are_whole(folder):
    old = kept(folder)
    new = ReferenceStore(folder, OTHER)
    new.begin()
    assert os.path.exists(old.working)
    new.commit({})
    assert not os.path.exists(old.working)


@pytest.mark.parametrize("data", ["", "{", "[]", json.dumps({"key": OTHER, "note": {}})])
def test_a_damaged_key_file_is_not_believed(folder, data):
    store = kept(folder)
    with open(os.path.join(store.working, reference_store.KEY_FILE), "w") as file:
        file.write(data)
    assert ReferenceStore(folder, KEY).find() is None


def test_there_is_a_limit_to_what_is_kept(folder):
    store = ReferenceStore(folder, KEY)
    assert store.room_for(1000)
    assert not store.room_for(reference_store.KEPT_BYTES + 1)
