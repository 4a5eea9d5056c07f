"""Tests in several processes: each module runs once, and what any of them says is seen."""

import os
import signal
import subprocess
import sys
import time

import pytest

from programs import ROOT

pytestmark = pytest.mark.fast
CONFTEST = f"""
import os, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import side_by_side

def pytest_runtestloop(session):
    side_by_side.run_unclaimed(session, os.environ[side_by_side.CLAIMS])
    return True
"""


@pytest.fixture
def suite(tmp_path):
    """A suite of eight modules in two folders, each of which notes that it ran."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for number in range(8):
        folder = tmp_path / f"part{number % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"test_{number}.py").write_text(
            f"import os, pytest\n"
            f"@pytest.fixture(scope='module')\n"
            f"def made(): yield open({str(tmp_path / 'ran')!r}, 'a').write('{number} ')\n"
            f"def test_one(made): pass\n"
            f"def test_two(made): pass\n"
        )
    return tmp_path


def start(suite, *arguments, **options):
    environment = {name: value for name, value in os.environ.items() if name != "FERRY_TESTS_CLAIMS"}
    command = [sys.executable, "-s", str(ROOT / "tests" / "side_by_side.py"), "--rootdir", ".", "-q", *arguments]
    return subprocess.Popen(command, cwd=suite, env=environment, stdout=subprocess.PIPE, text=True, **options)


def test_each_module_runs_once_in_one_of_them(suite):
    running = start(suite)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert sorted((suite / "ran").read_text().split()) == [str(number) for number in range(8)]
    assert sum(int(line.split()[0]) for line in said.splitlines() if " passed" in line) == 16


def test_a_failure_in_any_of_them_is_seen_and_fails_the_whole(suite):
    for number in range(8):
        path = suite / f"part{number % 2}" / f"test_{number}.py"
        path.write_text(path.read_text() + f"def test_three(made): assert {number} != 5, 'planted'\n")
    running = start(suite)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said.count("FAILED part1/test_5.py::test_three") == 1
    assert (suite / "ran").read_text().count("5") == 1


def test_where_no_test_is_chosen_that_is_an_error(suite):
    running = start(suite, "-k", "nothing")
    running.communicate(timeout=60)
    assert running.returncode == 5


def test_told_to_end_it_ends_them_all(suite):
    (suite / "part0" / "test_9.py").write_text("import time\ndef test_long(): time.sleep(600)\n")
    running = start(suite)
    deadline = time.monotonic() + 60
    while not (suite / "ran").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    assert running.returncode != 0
