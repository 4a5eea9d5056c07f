"""The user's packages beside the virtual environment: made once for what is asked for, and never half."""

import pytest

from runners import package_folder, resolve, uv, venv
from runners.errors import RunnerError

pytestmark = pytest.mark.fast


@pytest.fixture()
def environment(tmp_path, monkeypatch):
    """An environment that is there already; what is installed beside it is noted in ``installed``."""
    monkeypatch.setattr(package_folder, "FOLDER", tmp_path / "packages")
    monkeypatch.setattr(package_folder, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(venv, "ensure", lambda environment: environment.python)
    monkeypatch.setattr(uv, "ensure", lambda: tmp_path / "uv")
    lock = tmp_path / "requirements.lock"
    lock.write_text("torch==1.5.1\n")
    return venv.Environment("small", lock, download_mb=1, disk_mb=1)


@pytest.fixture()
def installed(monkeypatch):
    noted = []
    monkeypatch.setattr(resolve, "install", lambda _tools, _path, given, into: noted.append((given.text, into.name)))
    return noted


@pytest.fixture()
def asked(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("timm==0.3.2\n")
    return path


def test_a_set_is_made_once(environment, installed, asked):
    folder = package_folder.ensure(environment, str(asked))
    assert package_folder.ensure(environment, str(asked)) == folder
    assert [text for text, _ in installed] == ["timm==0.3.2\n"]
    assert folder.is_dir()


def test_other_packages_and_another_lock_are_other_sets(environment, installed, asked):
    first = package_folder.ensure(environment, str(asked))
    asked.write_text("timm==0.3.2  # no-deps\n")
    second = package_folder.ensure(environment, str(asked))
    environment.lock.write_text("torch==1.5.0\n")
    assert len({first, second, package_folder.ensure(environment, str(asked))}) == 3


def test_a_comment_makes_no_other_set(environment, installed, asked):
    first = package_folder.ensure(environment, str(asked))
    asked.write_text("# the models' packages\ntimm==0.3.2\n")
    assert package_folder.ensure(environment, str(asked)) == first


def test_what_fails_leaves_nothing(environment, asked, monkeypatch):
    def fail(*_arguments):
        raise RunnerError("no index")

    monkeypatch.setattr(resolve, "install", fail)
    with pytest.raises(RunnerError, match="no index"):
        package_folder.ensure(environment, str(asked))
    assert list(package_folder.FOLDER.iterdir()) == []
