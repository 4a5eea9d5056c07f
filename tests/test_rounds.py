"""Several makes of one model at once, and makes that are killed, in the virtual environment."""

import shutil
import signal

import pytest
import rounds

from programs import KEPT_OUT, ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout that shares its environments."""
    folder = tmp_path_factory.mktemp("rounds") / "ferry"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def test_two_makes_at_once(checkout):
    rounds.two_makes(checkout, "venv", rounds.rounds(1))


def test_two_verifications_at_once(checkout):
    rounds.two_verifications(checkout, "venv", rounds.rounds(1))


def test_makes_that_are_killed(checkout):
    stops = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    rounds.kills(checkout, "venv", rounds.rounds(3), stops, longest=8)
