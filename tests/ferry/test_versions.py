import re
from importlib import metadata

import pytest

from ferry import versions

pytestmark = pytest.mark.fast


def test_tensorflows_version_is_found_under_either_of_its_packages_names(monkeypatch):
    def installed(name):
        if name == "tensorflow":
            raise metadata.PackageNotFoundError(name)
        return f"version of {name}"

    monkeypatch.setattr(metadata, "version", installed)
    assert versions.versions()["tensorflow"] == "version of tensorflow-cpu"


def test_ferrys_own_version_is_among_them(monkeypatch):
    monkeypatch.setattr(metadata, "version", lambda name: "1")
    assert versions.versions()["ferry"] == versions.FERRY
    assert re.fullmatch(r"\d+\.\d+\.\d+", versions.FERRY)


def test_a_package_that_is_not_there_is_no_silent_gap(monkeypatch):
    monkeypatch.setattr(versions, "PACKAGES", ("no-such-package",))
    with pytest.raises(metadata.PackageNotFoundError):
        versions.versions()
