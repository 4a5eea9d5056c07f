import os
from pathlib import Path

import pytest

from runners import build_secrets

pytestmark = pytest.mark.fast


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    names = [*build_secrets.PROXIES, *build_secrets.CERTIFICATE_VARIABLES]
    for name in names + [name for group in build_secrets.ADDRESSES.values() for name in group]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(build_secrets, "SYSTEM_CERTIFICATES", ("/nowhere/ca.crt",))


def test_where_nothing_is_set_nothing_is_handed_over():
    with build_secrets.options() as given:
        assert given == []


def test_the_systems_certificates_are(tmp_path, monkeypatch):
    store = tmp_path / "ca.crt"
    store.write_text("")
    monkeypatch.setattr(build_secrets, "SYSTEM_CERTIFICATES", (str(store),))
    with build_secrets.options() as given:
        assert given == [f"--secret=id=ca_certificates,src={store}"]


def test_an_address_travels_in_a_file_of_the_callers_and_is_gone_afterwards(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://someone:password@index.example/simple")
    with build_secrets.options() as given:
        (option,) = given
        assert "password" not in option
        path = option.split("src=")[1]
        assert Path(path).read_text() == "https://someone:password@index.example/simple"
        assert os.stat(os.path.dirname(path)).st_mode & 0o077 == 0
    assert not os.path.exists(path)


def test_a_proxys_value_is_not_on_the_command_line(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://someone:password@proxy.example:3128")
    with build_secrets.options() as given:
        assert given == ["--build-arg=https_proxy"]
