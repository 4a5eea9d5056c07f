"""Whether bubblewrap works here: asked once, remembered, and explained."""

import pytest

from bubblewrap import must_work
from runners import sandbox_probe
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

REFUSAL = "bwrap: setting up uid map: Permission denied"


@pytest.fixture()
def bwrap(tmp_path, monkeypatch):
    """A bubblewrap of the test's own, which fails with a complaint if one is given, and notes how often it ran."""
    monkeypatch.setattr(sandbox_probe, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(sandbox_probe, "FORBIDDEN", ())
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("SANDBOX", raising=False)

    def make(complaint="", unless=""):
        fails = f"echo '{complaint}' >&2; exit 1" if complaint else "exit 0"
        (tmp_path / "bwrap").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n{unless}\n{fails}\n')
        (tmp_path / "bwrap").chmod(0o755)

    make.asked = lambda: len((tmp_path / "asked").read_text().splitlines()) if (tmp_path / "asked").exists() else 0
    make()
    return make


def test_one_that_works_is_asked_once(bwrap, tmp_path):
    assert sandbox_probe.choose() == [f"{tmp_path}/bwrap", "--disable-userns"]
    assert sandbox_probe.choose() == [f"{tmp_path}/bwrap", "--disable-userns"]
    assert bwrap.asked() == 1


def test_another_one_is_asked_again(bwrap, tmp_path):
    sandbox_probe.choose()
    bwrap(REFUSAL)
    assert sandbox_probe.choose() is None


def test_so_is_the_same_one_elsewhere(bwrap, monkeypatch):
    sandbox_probe.choose()
    # In a container the mounts are others, and the kernel may be the same.
    monkeypatch.setattr(sandbox_probe, "MOUNTS", "/proc/self/ns/net")
    sandbox_probe.choose()
    assert bwrap.asked() == 2


def test_an_old_one_is_used_without_what_it_lacks(bwrap, tmp_path):
    bwrap("bwrap: Unknown option --disable-userns", unless='case "$*" in *--disable-userns*) ;; *) exit 0 ;; esac')
    assert sandbox_probe.choose() == [f"{tmp_path}/bwrap"]


def test_where_it_does_not_work_one_line_says_so_once(bwrap, capsys):
    bwrap(REFUSAL)
    assert sandbox_probe.choose() is None
    said = capsys.readouterr().err
    assert said.startswith("ferry: the stages run without a sandbox") and "make doctor" in said
    assert said.count("\n") == 1
    assert sandbox_probe.choose() is None
    assert capsys.readouterr().err == ""
    bwrap("bwrap: something else")
    sandbox_probe.choose()
    assert capsys.readouterr().err != ""


def test_who_asks_for_one_that_does_not_work_learns_why(bwrap, monkeypatch):
    bwrap(REFUSAL)
    monkeypatch.setenv("SANDBOX", "bwrap")
    with pytest.raises(RunnerError, match=f"SANDBOX=bwrap does not work here: {REFUSAL} .*SANDBOX=none runs"):
        sandbox_probe.choose()
    monkeypatch.setenv("SANDBOX", "none")
    assert sandbox_probe.choose() is None


def test_none_is_none_where_it_works_too_and_says_nothing(bwrap, monkeypatch, capsys):
    monkeypatch.setenv("SANDBOX", "none")
    assert sandbox_probe.choose() is None
    assert (bwrap.asked(), capsys.readouterr().err) == (0, "")


def test_another_word_is_an_error(bwrap, monkeypatch):
    monkeypatch.setenv("SANDBOX", "firejail")
    with pytest.raises(RunnerError, match="there is no SANDBOX 'firejail'; it is one of none, bwrap"):
        sandbox_probe.choose()


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("APPARMOR", "1", "apparmor_parser -r /usr/share/apparmor/extra-profiles/bwrap-userns-restrict"),
        ("CLONE", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        ("MOST", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
        (None, "", "most containers forbid it"),
    ],
)
def test_a_kernel_that_forbids_it_is_named_with_the_remedy(tmp_path, monkeypatch, bwrap, setting, value, remedy):
    monkeypatch.undo()
    monkeypatch.setattr(sandbox_probe, "ENVIRONMENTS", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    bwrap(REFUSAL)
    path = getattr(sandbox_probe, setting or "APPARMOR")
    monkeypatch.setattr(sandbox_probe, "_read", lambda asked: value if asked == path else "")
    answer = sandbox_probe.ask()
    assert answer.trouble.startswith(REFUSAL)
    assert remedy in answer.trouble


def test_without_it_there_is_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "sudo apt install bubblewrap" in sandbox_probe.ask().trouble


def test_a_folder_that_cannot_be_written_is_no_trouble(bwrap, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox_probe, "ENVIRONMENTS", tmp_path / "nowhere")
    assert sandbox_probe.choose() == [f"{tmp_path}/bwrap", "--disable-userns"]


def test_the_real_one_says_its_version():
    assert sandbox_probe.version(must_work()).startswith("bubblewrap ")
