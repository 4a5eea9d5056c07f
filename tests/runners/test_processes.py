"""A stage hears the signals meant for it, ends with its runner, and ends when its time is over."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from bubblewrap import must_work
from programs import ROOT
from runners import processes
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

# A runner by itself: it starts Python in one of the ways there are, and prints the exit code or the error.
RUNNER = """
import sys
sys.path.insert(0, {scripts!r})
from runners import processes, sandbox
from runners.errors import RunnerError
how, limit, bwrap, folder, *program = sys.argv[1:]
command = [sys.executable, "-c", *program]
if how == "Sandboxed":
    reads = sandbox.interpreter_paths(sys.executable)
    command = sandbox.command(bwrap.split(), command, reads, [folder])
processes.GRACE = 1
stage = getattr(processes, how)(command, sandbox.environment())
try:
    print("code", processes.run(stage, "the stage", float(limit) if limit else None))
except RunnerError as error:
    print("error", error)
"""
WAYS = ["Stage", "Sandboxed"]
# A stage that says when it is up, and answers to SIGTERM and SIGINT as stages do.
ANSWERS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
print("up", flush=True)
time.sleep(60)
"""
DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    os.fork()
print("up", flush=True)
while True:
    open(sys.argv[1] + "/" + str(os.getpid()), "a").write("x")
    time.sleep(0.02)
"""


@pytest.fixture(params=WAYS)
def start(request, tmp_path):
    """Start a runner whose stage is a piece of Python, whose argument is a folder that it may write to."""
    bwrap = " ".join(must_work()) if request.param == "Sandboxed" else ""
    started = []

    def begin(program, limit=""):
        command = [sys.executable, "-c", RUNNER.format(scripts=str(ROOT / "scripts"))]
        command += [request.param, limit, bwrap, str(tmp_path), textwrap.dedent(program), str(tmp_path)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def is_quiet(folder):
    """Whether nothing is written to ``folder`` any more."""
    sizes = [sum(path.stat().st_size for path in folder.iterdir()) for _ in (0, 1) if not time.sleep(0.3)]
    return sizes[0] == sizes[1] > 0


def test_its_exit_code_is_passed_on(start):
    assert start("import sys; sys.exit(7)").communicate(timeout=60)[0] == "code 7\n"


def test_a_crash_is_named(start):
    said = start("import os; os.kill(os.getpid(), 11)").communicate(timeout=60)[0]
    assert sorted(said.splitlines()) == ["code 139", "ferry: error: the stage was ended by SIGSEGV"]


def test_an_interruption_that_it_answers_is_no_crash(start):
    assert start("import sys; sys.exit(130)").communicate(timeout=60)[0] == "code 130\n"


def test_a_terminated_runner_lets_it_clean_up(start):
    process = start(ANSWERS)
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.communicate(timeout=60)[0] == "code 130\n"


@pytest.mark.parametrize("start", ["Sandboxed"], indirect=True)
def test_ctrl_c_reaches_one_in_a_sandbox_through_its_runner(start):
    # One without a sandbox has it from the terminal.
    process = start(ANSWERS)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "code 130\n"


def test_a_killed_runner_takes_it_along(start, tmp_path):
    program = """
    import sys, time
    while True:
        open(sys.argv[1] + "/log", "a").write("x")
        print("up", flush=True)
        time.sleep(0.02)
    """
    process = start(program)
    assert process.stdout.readline() == "up\n"
    process.kill()
    process.wait()
    time.sleep(0.2)
    assert is_quiet(tmp_path)


def test_one_that_hangs_is_ended_with_all_that_it_has_started(start, tmp_path):
    said = start(DEAF, limit="1").communicate(timeout=60)[0]
    assert said.endswith(
        "error the stage had not ended after 1 s, which TIMEOUT sets as its limit, and was ended; "
        "nothing was left half-written\n"
    )
    assert len(list(tmp_path.iterdir())) == 3
    assert is_quiet(tmp_path)


def test_one_that_ends_in_time_is_not_disturbed(start):
    assert start("print('done')", limit="60").communicate(timeout=60)[0] == "done\ncode 0\n"


def test_what_it_leaves_behind_writes_nothing_once_it_has_ended(start, tmp_path):
    program = """
    import os, signal, sys, time
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            open(sys.argv[1] + "/log", "a").write("x")
            time.sleep(0.02)
    while not os.path.exists(sys.argv[1] + "/log"):
        time.sleep(0.02)
    """
    # Read to its end only by who holds no copy of the pipe: the one left behind is gone when this returns.
    assert start(program).communicate(timeout=60)[0] == "code 0\n"
    assert is_quiet(tmp_path)


def test_no_open_file_of_the_runners_is_handed_on(start):
    said = start("import os; print(sorted(os.listdir('/proc/self/fd')))").communicate(timeout=60)[0]
    assert said.splitlines()[0] == "['0', '1', '2', '3']"


@pytest.mark.parametrize(
    ("given", "seconds"), [("", None), ("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400)]
)
def test_a_time_limit(monkeypatch, given, seconds):
    monkeypatch.setenv("TIMEOUT", given)
    assert processes.time_limit() == seconds


@pytest.mark.parametrize("given", ["0", "-1", "90 s", "soon", "1h30m", "٣"])
def test_what_is_no_time_is_an_error(monkeypatch, given):
    monkeypatch.setenv("TIMEOUT", given)
    with pytest.raises(RunnerError, match="TIMEOUT must be a time such as 90, 90s, 15m or 2h, not"):
        processes.time_limit()


@pytest.fixture()
def container(tmp_path, monkeypatch):
    """Start a container that is deaf to what its client hears and ends when it is removed; its client does ``then``."""

    def make(then):
        (tmp_path / "docker").write_text(
            f"""#!/bin/sh
            echo "$@" >>{tmp_path}/asked
            case $1 in
                rm) touch {tmp_path}/gone ;;
                run) trap "" TERM; {then}; while [ ! -e {tmp_path}/gone ]; do sleep 0.05; done ;;
            esac
            """
        )
        (tmp_path / "docker").chmod(0o755)
        return processes.Container(["docker", "run", "--name=ferry-1"], dict(os.environ), "ferry-1")

    make.asked = lambda: (tmp_path / "asked").read_text().splitlines()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(processes, "GRACE", 0.5)
    return make


def test_a_container_that_hangs_is_removed_by_its_name(container):
    with pytest.raises(RunnerError, match=r"the stage had not ended after 0\.5 s"):
        processes.run(container("true"), "the stage", 0.5)
    assert container.asked() == ["run --name=ferry-1", "kill ferry-1", "rm --force ferry-1"]


def test_a_container_whose_client_is_killed_is_removed(container, capsys):
    assert processes.run(container("kill -KILL $$"), "the stage") == 128 + signal.SIGKILL
    assert container.asked() == ["run --name=ferry-1", "kill ferry-1", "rm --force ferry-1"]
    assert capsys.readouterr().err == "ferry: error: the stage was ended by SIGKILL\n"
