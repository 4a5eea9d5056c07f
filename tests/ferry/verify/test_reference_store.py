import json
import os

import numpy as np
import pytest

from ferry.verify import chunk_file, reference_store
from ferry.verify.chunk_file import Chunk
from ferry.verify.reference_store import ReferenceStore, key_of

pytestmark = pytest.mark.fast

CHUNK = Chunk([np.arange(6.0).reshape(2, 3)], [np.arange(6, dtype=np.float32).reshape(2, 3)])
KEY, OTHER = key_of({"model": 1}), key_of({"model": 2})
NOTE = {"float32": {"milliseconds": None, "seconds": 0.0}}


@pytest.fixture()
def folder(tmp_path):
    return str(tmp_path / "references")


def store_of(folder, key=KEY):
    return ReferenceStore(folder, folder, key)


def begun(folder, key=KEY):
    store = store_of(folder, key)
    store.find()
    store.begin(1000)
    return store, chunk_file.write(store.path_of(0), CHUNK)


def kept(folder, key=KEY):
    store, stored = begun(folder, key)
    store.commit({chunk_file.name_of(0): stored.sha256}, NOTE)
    return os.path.join(folder, key[:16])


def test_whole_references_are_found_again_by_their_key_alone(folder):
    kept(folder)
    store = store_of(folder)
    assert store.find().note == NOTE
    assert chunk_file.read(store.stored(0)) is not None
    assert store.stored(16) is None
    assert store_of(folder, OTHER).find() is None
    assert os.listdir(folder) == [KEY[:16]]


def test_they_are_read_in_one_folder_and_written_to_another(folder, tmp_path):
    kept(folder)
    before = os.listdir(folder)
    other = ReferenceStore(folder, str(tmp_path / "output"), KEY)
    other.find()
    other.begin(1000)
    stored = other.stored(0)
    chunk_file.take(stored, other.path_of(0))
    other.commit({chunk_file.name_of(0): stored.sha256}, NOTE)
    assert os.listdir(folder) == before
    assert store_of(str(tmp_path / "output")).find().note == NOTE


def test_what_was_not_committed_is_never_found(folder):
    store, _ = begun(folder)
    assert store_of(folder).find() is None
    store.discard()
    assert os.listdir(folder) == []


def test_two_checks_at_a_time_do_not_disturb_each_other(folder):
    (first, stored), (second, _) = begun(folder), begun(folder)
    assert second.path_of(0) != first.path_of(0)
    second.discard()
    first.commit({chunk_file.name_of(0): stored.sha256}, NOTE)
    assert store_of(folder).find().note == NOTE


def test_the_references_of_another_key_give_way_when_new_ones_are_whole_and_who_reads_them_has_them_still(folder):
    old = kept(folder)
    reader = store_of(folder)
    reader.find()
    reader.begin(1000)
    chunk_file.take(reader.stored(0), reader.path_of(0))
    new, stored = begun(folder, OTHER)
    assert os.path.exists(old)
    new.commit({chunk_file.name_of(0): stored.sha256}, NOTE)
    assert not os.path.exists(old)
    assert os.path.exists(reader.path_of(0))


def altered(held, change):
    held = json.loads(json.dumps(held))
    if change == "digest":
        held["chunks"] = dict.fromkeys(held["chunks"], "0" * 64)
    elif change == "note":
        held["note"]["float32"]["seconds"] = 1.0
    elif change == "key":
        held["key"] = OTHER
    else:
        del held["sha256"]
    return json.dumps(held)


@pytest.mark.parametrize("change", ["", "{", "[]", "[" * 100_000, "digest", "note", "key", "sha256"])
def test_an_altered_key_file_is_not_believed_and_that_is_known(folder, change):
    path = os.path.join(kept(folder), reference_store.KEY_FILE)
    with open(path) as file:
        held = json.load(file)
    with open(path, "w") as file:
        file.write(change if change[:1] in ("", "{", "[") else altered(held, change))
    store = store_of(folder)
    assert store.find() is None
    assert store.altered


def test_none_kept_and_others_kept_are_no_alteration(folder):
    for key in (KEY, OTHER):
        store = store_of(folder, key)
        assert store.find() is None
        assert not store.altered
        kept(folder, KEY)


def test_there_is_a_limit_to_what_is_kept(folder):
    store = store_of(folder)
    store.begin(1000)
    assert store.unkept is None
    store.discard()
    store.begin(reference_store.KEPT_BYTES + 1)
    assert store.unkept == "they are larger than 4 GB"
    store.discard()


def test_without_room_chunks_go_where_temporary_files_do(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(reference_store.tempfile, "gettempdir", lambda: str(tmp_path))
    store, _ = begun(folder)
    store.stop_keeping("No space left on device")
    assert store.unkept == f"No space left on device: {folder}"
    chunk_file.write(store.path_of(16), CHUNK)
    assert not store.path_of(16).startswith(folder)
    store.discard()
    assert os.listdir(folder) == []
    assert os.listdir(str(tmp_path)) == ["references"]


@pytest.mark.parametrize("obstacle", ["a file", "a folder that nobody may write to"])
def test_without_a_folder_they_go_there_at_once(folder, tmp_path, obstacle):
    if obstacle == "a file":
        open(folder, "w").close()
    else:
        os.symlink("/proc", folder)
    store = store_of(folder)
    store.begin(1000)
    assert store.unkept.endswith(folder)
    chunk_file.write(store.path_of(0), CHUNK)
    store.discard()
