import os
import shutil
import signal
import subprocess
import sys

import pytest

from programs import KEPT_OUT, ROOT, run
from runners import command_line, run_stage, venv
from runners.errors import RunnerError
from terminal import in_a_terminal

pytestmark = pytest.mark.fast

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


@pytest.fixture()
def checkout_with_a_podman(tmp_path):
    """A copy of the runners beside a Podman that answers, and builds an image only where the file ``works`` is."""
    folder = tmp_path / "ferry"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    (folder / ".venv").mkdir()
    client = tmp_path / "bin" / "podman"
    client.parent.mkdir()
    client.write_text(
        f"""#!/bin/sh
echo "$1" >> {tmp_path}/asked
case "$1" in
    info) echo '{{"version": {{"Version": "4.3.1"}}}}' ;;
    build) [ -e {tmp_path}/works ] || {{ echo "Error: no such host"; exit 125; }} ;;
    image) exit 1 ;;
esac
"""
    )
    client.chmod(0o755)
    return folder


def chosen(folder):
    # No Docker on this PATH, and the Python that runs the tests.
    path = f"{folder.parent}/bin:{os.path.dirname(os.path.realpath(sys.executable))}:/bin:/usr/bin"
    if shutil.which("docker", path=path):
        (folder.parent / "bin" / "docker").write_text(
            "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n"
        )
        (folder.parent / "bin" / "docker").chmod(0o755)
    return run(sys.executable, folder / "scripts" / "runners", "choose", env={"PATH": path}, cwd=str(folder))


def test_an_engine_that_cannot_have_the_image_gives_way_to_venv(checkout_with_a_podman):
    done = chosen(checkout_with_a_podman)
    assert (done.returncode, done.stdout) == (0, "venv\n")
    assert "podman could not build the image: Error: no such host" in done.stderr
    assert "runner: venv (podman 4.3.1 answers, but has no image to run in" in done.stderr


def test_and_is_not_asked_again_until_something_changes(checkout_with_a_podman):
    asked = checkout_with_a_podman.parent / "asked"
    chosen(checkout_with_a_podman)
    asked.unlink()
    assert (
        "its image could not be built; `make image RUNNER=podman` tries again" in chosen(checkout_with_a_podman).stderr
    )
    assert "build" not in asked.read_text().split()
    with open(str(checkout_with_a_podman / "Dockerfile.cpu"), "a") as dockerfile:
        dockerfile.write("# changed\n")
    (checkout_with_a_podman.parent / "works").touch()
    done = chosen(checkout_with_a_podman)
    assert (done.returncode, done.stdout) == (0, "podman\n"), done.stderr


@pytest.fixture()
def benched(monkeypatch):
    """Run the command ``bench`` in a runner; it gives the stage, its models and the newest Python."""
    started = []

    def run(stage, job, runner, newest=None):
        started.append((stage.name, [model.name for model in job.models], newest))
        return 0

    monkeypatch.setattr(run_stage, "run", run)
    monkeypatch.setenv("FERRY_GIVEN", "MODEL")
    monkeypatch.setenv("MODEL", "mobilenet_v2 resnet50")

    def bench(runner):
        assert command_line.main(["bench", runner]) == 0
        return started.pop()

    return bench


def test_the_benchmark_is_told_where_the_newest_runtime_is(benched, monkeypatch, tmp_path):
    monkeypatch.setattr(venv, "ensure", lambda environment: tmp_path / environment.name)
    assert benched("venv") == ("bench", ["mobilenet_v2", "resnet50"], str(tmp_path / "bench"))


def test_without_a_python_for_it_the_benchmark_goes_on_with_one_line_said(benched, monkeypatch, capsys):
    def lacking(_environment):
        raise RunnerError("the pinned packages need Python 3.11, and there is none")

    monkeypatch.setattr(venv, "ensure", lacking)
    assert benched("venv")[-1] is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ferry: without the newest TFLite runtime: the pinned packages need Python 3.11")


def test_a_container_does_not_reach_the_benchs_environment(benched, monkeypatch):
    monkeypatch.setattr(venv, "ensure", lambda _environment: pytest.fail("an environment was made"))
    assert benched("docker")[-1] is None


def test_the_shell_has_the_environment_first_on_its_path():
    typed = "python -c 'import torch; print(\"torch\", torch.__version__)'; exit 7\n"
    code, shown = in_a_terminal(["make", "shell", "RUNNER=venv"], ROOT, typed, {"SHELL": "/bin/sh"})
    assert "torch 1.5.1" in shown
    assert (code, "Error 7" in shown) == (2, True), shown


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["--marks=fast"], ["-m=fast"]),
        (["--marks=slow", "--without=tests/containers"], ["-m=slow", "--ignore=tests/containers"]),
        (["tests/containers"], ["tests/containers"]),
    ],
)
def test_the_makefiles_tests_are_pytests(monkeypatch, arguments, given):
    makefile = (ROOT / "Makefile").read_text()
    assert " ".join(["$(RUNNERS) test", *arguments]) in makefile
    started = []
    monkeypatch.setattr(command_line, "_in_the_environment", lambda program: started.append(program) or 0)
    monkeypatch.setenv("PYTEST", "-k 'one or two'")
    monkeypatch.setenv("FERRY_GIVEN", "PYTEST")
    assert command_line.main(["test", *arguments]) == 0
    assert started == [["-m", "pytest", *given, "-k", "one or two"]]
