import io
import os
import zipfile

import numpy as np
import pytest

from ferry.verify import npz

pytestmark = pytest.mark.fast

HOSTILE = [
    "../../../../victim", "/etc/passwd", "a/../../b", "..", ".", "", ".hidden", "a//b", "nul\x00after", "\x1b[2J",
    "n" * 5000, "größe", "C:\\x", "a b",
]  # fmt: skip


def test_plain_names_stay():
    names = ["input", "input_0", "serving/input", "file", "a.b-c", "input:0"]
    assert npz.member_names(names) == names


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_harmless_path_goes_by_its_position(name):
    assert npz.member_names(["x", name]) == ["x", "input_1"]
    assert npz.member_names([name, "input_0"]) == ["input_0_", "input_0"]


def test_an_archive_unpacks_below_its_folder_and_comes_back(tmp_path):
    names = npz.member_names(["file", "args", *HOSTILE, "serving/input"])
    data = npz.to_bytes({name: np.full((1, 2), place) for place, name in enumerate(names)})
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        assert held.files == names
        assert [held[name][0, 0] for name in names] == list(range(len(names)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            assert not os.path.isabs(name) and ".." not in name.split("/") and len(name) < 200
    assert npz.to_bytes({"x": np.ones(3)}) == npz.to_bytes({"x": np.ones(3)})


def test_objects_are_refused():
    with pytest.raises(ValueError, match="pickle"):
        npz.to_bytes({"x": np.array([{}])})
