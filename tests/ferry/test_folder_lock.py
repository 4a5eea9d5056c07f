import os
import subprocess
import sys

import pytest

from ferry.folder_lock import WorkFolder, remove_unlocked
from programs import ROOT

pytestmark = pytest.mark.fast

# It makes a folder, says which, and waits to be killed.
HOLDS = """
import sys
sys.path.insert(0, sys.argv[1])
from ferry.folder_lock import WorkFolder
print(WorkFolder(sys.argv[2], "inputs.").path, flush=True)
sys.stdin.read()
"""


def test_each_has_one_of_its_own_and_none_is_left(tmp_path):
    folders = [WorkFolder(str(tmp_path), "inputs.") for _ in range(3)]
    assert len({folder.path for folder in folders}) == 3
    for folder in folders:
        assert os.path.isdir(folder.path)
        folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(ROOT / "scripts"), str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True,
    )  # fmt: skip
    theirs = other.stdout.readline().strip()
    assert not remove_unlocked(theirs)
    WorkFolder(str(tmp_path), "inputs.").remove()
    assert os.path.isdir(theirs)
    other.kill()
    other.communicate()
    WorkFolder(str(tmp_path), "inputs.").remove()
    assert not os.path.exists(theirs)


def test_another_prefix_and_a_file_are_nobodys(tmp_path):
    (tmp_path / "inputs.npz").write_text("the user's")
    (tmp_path / "logs").mkdir()
    WorkFolder(str(tmp_path), "inputs.").remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs.npz", "logs"]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "inputs.x").symlink_to(tmp_path / "elsewhere")
    WorkFolder(str(tmp_path / "work"), "inputs.").remove()
    assert (tmp_path / "elsewhere").is_dir()
