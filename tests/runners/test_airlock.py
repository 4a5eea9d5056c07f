"""What is taken out of a stage's own folder, and what of all that a stranger could leave there is not."""

import os
import stat

import pytest

from runners import airlock
from runners.errors import RunnerError
from runners.stages import Product

pytestmark = pytest.mark.fast

FILE = Product("model.onnx", 1000)
LOG = Product("logs/stage.log", 1000, always=True)
WORST = Product("worst_input_*.npz", 1000, always=True, replaces=True)
REFERENCES = Product("references/*", 1000, always=True, replaces=True, files=("*.npz", "key.json"))
REPORT = Product("report.json", 1000, always=True)


@pytest.fixture()
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(airlock, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture()
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


def publish(root, leave, *products, succeeded=True, into="build/m"):
    """What is published of a stage that leaves what ``leave``, called with its folder, leaves there."""
    with airlock.opened("stage") as place:
        folder = root / place.path
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        leave(folder)
        published = place.publish(products, into, succeeded)
    assert not folder.exists()
    assert os.listdir(str(root / "build" / ".work")) == []
    return published


def leaving(**files):
    def leave(folder):
        for name, text in files.items():
            path = folder / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return leave


def test_what_the_table_names_is_published_and_the_rest_is_dropped(root):
    left = leaving(model_DOT_onnx="new", logs__stage_DOT_log="said", other="x", logs__other="x")
    assert publish(root, left, LOG, FILE) == {"model.onnx", "logs/stage.log"}
    assert sorted(str(path.relative_to(root / "build" / "m")) for path in (root / "build" / "m").rglob("*")) == [
        "logs", "logs/stage.log", "model.onnx",
    ]  # fmt: skip
    assert (root / "build" / "m" / "model.onnx").read_text() == "new"


def test_of_a_stage_that_failed_the_log_alone_is(root):
    left = leaving(model_DOT_onnx="new", logs__stage_DOT_log="said")
    assert publish(root, left, LOG, FILE, succeeded=False) == {"logs/stage.log"}


def _link(folder, victim):
    (folder / "model.onnx").symlink_to(victim)


def _hard_link(folder, victim):
    os.link(str(victim), str(folder / "model.onnx"))


def _pipe(folder, victim):
    os.mkfifo(str(folder / "model.onnx"))


def _folder(folder, victim):
    (folder / "model.onnx").mkdir()
    (folder / "model.onnx" / "x").touch()


def _too_large(folder, victim):
    (folder / "model.onnx").write_bytes(bytes(1001))


def _socket(folder, victim):
    os.mknod(str(folder / "model.onnx"), 0o600 | stat.S_IFSOCK)


@pytest.mark.parametrize("leave", [_link, _hard_link, _pipe, _folder, _too_large, _socket])
def test_what_is_no_regular_file_of_its_own_is_not_published(root, victim, leave):
    assert publish(root, lambda folder: leave(folder, victim), FILE) == set()
    assert not (root / "build" / "m" / "model.onnx").exists()
    assert victim.read_text() == "precious"


def test_a_folder_that_is_a_link_is_not_followed(root, tmp_path, victim):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "stage.log").write_text("theirs")
    left = publish(root, lambda folder: (folder / "logs").symlink_to(tmp_path / "elsewhere"), LOG)
    assert left == set()
    assert (tmp_path / "elsewhere" / "stage.log").read_text() == "theirs"


def test_a_link_that_an_older_stage_left_is_replaced_and_not_followed(root, victim):
    (root / "build" / "m" / "logs").mkdir(parents=True)
    (root / "build" / "m" / "logs" / "stage.log").symlink_to(victim)
    assert publish(root, leaving(logs__stage_DOT_log="said"), LOG) == {"logs/stage.log"}
    assert victim.read_text() == "precious"
    assert not (root / "build" / "m" / "logs" / "stage.log").is_symlink()


def test_nothing_is_put_where_a_link_leads(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (root / "build").mkdir()
    (root / "build" / "m").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunnerError, match="cannot make the folder build/m: "):
        publish(root, leaving(model_DOT_onnx="new"), FILE)
    assert os.listdir(str(tmp_path / "elsewhere")) == []


def test_a_file_that_is_published_has_the_users_own_rights(root):
    def leave(folder):
        (folder / "model.onnx").write_text("new")
        (folder / "model.onnx").chmod(0o6777)

    mask = os.umask(0o027)
    try:
        publish(root, leave, FILE)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((root / "build" / "m" / "model.onnx").stat().st_mode) == 0o640


def test_a_folder_in_the_place_of_the_target_is_one_sentence(root):
    (root / "build" / "m" / "model.onnx").mkdir(parents=True)
    with pytest.raises(RunnerError, match="cannot write build/m/model.onnx: Is a directory"):
        publish(root, leaving(model_DOT_onnx="new"), FILE)


def test_a_file_in_the_place_of_the_build_folder_is_one_sentence(root):
    (root / "build").write_text("a file in its place")
    with pytest.raises(RunnerError, match="cannot make the folder build/.work: "):
        publish(root, leaving(), FILE)


def test_whole_folders_are_published_and_take_the_place_of_older_ones(root):
    first = leaving(references__a__0_DOT_npz="1", references__a__key_DOT_json="{}", report_DOT_json="1")
    assert publish(root, first, REFERENCES, REPORT) == {"references/a", "report.json"}
    again = leaving(references__b__0_DOT_npz="2", references__b__key_DOT_json="{}", report_DOT_json="2")
    assert publish(root, again, REFERENCES, REPORT) == {"references/b", "report.json"}
    assert os.listdir(str(root / "build" / "m" / "references")) == ["b"]
    altered = leaving(references__b__0_DOT_npz="3", references__b__key_DOT_json="{}", report_DOT_json="3")
    publish(root, altered, REFERENCES, REPORT)
    assert (root / "build" / "m" / "references" / "b" / "0.npz").read_text() == "3"
    # Those that were used once more stay.
    publish(root, leaving(report_DOT_json="4"), REFERENCES, REPORT)
    assert os.listdir(str(root / "build" / "m" / "references")) == ["b"]


@pytest.mark.parametrize("wrong", ["unfinished", "link", "another", "folder"])
def test_a_folder_that_holds_anything_else_is_not_published(root, victim, wrong):
    def leave(folder):
        leaving(references__a__0_DOT_npz="1", references__a__key_DOT_json="{}")(folder)
        inside = folder / "references" / "a"
        if wrong == "unfinished":
            (inside / "key.json").unlink()
        elif wrong == "link":
            (inside / "1.npz").symlink_to(victim)
        elif wrong == "another":
            (inside / "model.onnx.d").write_text("X := $(shell touch x)")
        else:
            (inside / "1.npz").mkdir()

    assert publish(root, leave, REFERENCES) == set()
    assert os.listdir(str(root / "build" / "m" / "references")) == []


def test_what_an_earlier_run_left_goes_when_the_stage_has_reported(root):
    publish(root, leaving(worst_input_onnx_DOT_npz="1", report_DOT_json="1"), WORST, REPORT)
    assert (root / "build" / "m" / "worst_input_onnx.npz").exists()
    publish(root, leaving(), WORST, REPORT, succeeded=False)
    assert (root / "build" / "m" / "worst_input_onnx.npz").exists()
    publish(root, leaving(report_DOT_json="2"), WORST, REPORT)
    assert not (root / "build" / "m" / "worst_input_onnx.npz").exists()


def test_a_folder_of_a_runner_that_was_killed_goes_with_the_next_run_and_that_of_one_that_lives_stays(root, victim):
    left = root / "build" / ".work" / "stage-left"
    # Deeper than any path may be.
    left.mkdir(parents=True)
    (left.parent / "stage-left.lock").touch()
    place = os.open(str(left), os.O_RDONLY)
    for _ in range(300):
        os.mkdir("a folder of a name that is not short", dir_fd=place)
        below = os.open("a folder of a name that is not short", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.symlink(str(victim), "link", dir_fd=place)
    os.close(place)
    os.chmod(str(left), 0)
    with airlock.opened("stage") as first:
        (root / first.path / "kept").touch()
        with airlock.opened("stage") as second:
            assert first.path != second.path
            assert (root / first.path / "kept").exists()
            assert not left.exists()
    assert os.listdir(str(root / "build" / ".work")) == []
    assert victim.read_text() == "precious"
