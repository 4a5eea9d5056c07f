import os
import shutil
import signal
import subprocess

import pytest

from programs import ROOT, run

RUNNERS = ROOT / "scripts" / "runners"


def host_pythons():
    """Every Python 3 that a newcomer might run make with, as far as this machine has them."""
    names = [f"python3.{minor}" for minor in range(7, 15)]
    found = [shutil.which(name) for name in names]
    for root in filter(None, [os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")]):
        folder = os.path.join(root, "versions")
        if os.path.isdir(folder):
            found += [os.path.join(folder, name, "bin", "python3") for name in sorted(os.listdir(folder))]
    return [path for path in dict.fromkeys(filter(None, found)) if _runs_python3(path)]


def _runs_python3(path):
    check = "import sys; sys.exit(sys.version_info < (3, 7))"
    try:
        return subprocess.run([path, "-c", check], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("python", host_pythons() or ["python3"])
def test_any_python3_from_7_on_can_run_it(python):
    done = run(python, RUNNERS, "choose", "venv")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "venv\n"
    assert done.stderr == "runner: venv (as RUNNER says)\n"
    done = run(python, RUNNERS, "run", "venv", "-c", "import sys; print(sys.version_info[:2])")
    assert done.stdout == "(3, 8)\n", done.stderr


def test_the_programs_exit_code_is_passed_on():
    assert run("python3", RUNNERS, "run", "venv", "-c", "raise SystemExit(7)").returncode == 7


def test_a_program_that_crashes_is_reported():
    done = run("python3", RUNNERS, "run", "venv", "-c", "import os; os.kill(os.getpid(), 11)")
    assert done.returncode == 128 + signal.SIGSEGV
    assert "was ended by SIGSEGV" in done.stderr


def test_a_python_of_the_users_own_does_not_leak_in(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('the wrong one')")
    env = {"PYTHONPATH": str(tmp_path)}
    done = run("python3", RUNNERS, "run", "venv", "-c", "import numpy; print(numpy.__version__)", env=env)
    assert done.stdout.startswith("1.19"), done.stderr


def test_a_terminated_runner_ends_its_program():
    program = "import time; print('up', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        ["python3", str(RUNNERS), "run", "venv", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"up\n"
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode != 0


def test_an_unknown_runner_is_one_line():
    done = run("python3", RUNNERS, "run", "lxc", "-c", "1")
    assert done.returncode == 1
    assert done.stderr == "ferry: error: there is no RUNNER 'lxc'; it is one of docker, podman, venv\n"
