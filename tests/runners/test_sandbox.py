"""What a program sees under bubblewrap: the command line, and what real programs find there."""

import hashlib
import os
import subprocess
import sys
import textwrap

import pytest

from bubblewrap import must_work
from programs import ROOT
from runners import sandbox
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

PYTHON = sys.executable


def options(command, name):
    """The arguments of each ``name`` in the command line."""
    return [tuple(command[at + 1 : at + 3]) for at, word in enumerate(command) if word == name]


def test_a_path_is_bound_where_it_is_and_only_what_is_named_can_be_written(tmp_path):
    folder, airlock = tmp_path / "a model's", tmp_path / "airlock"
    folder.mkdir()
    airlock.mkdir()
    command = sandbox.command(["bwrap"], ["python", "x"], [str(folder)], [str(airlock)])
    assert (str(folder), str(folder)) in options(command, "--ro-bind")
    assert options(command, "--bind") == [(str(airlock), str(airlock))]
    assert command[-3:] == ["--", "python", "x"]
    for word in ("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"):
        assert word in command


def test_a_folder_comes_before_what_lies_in_it(tmp_path):
    (tmp_path / "build" / "work").mkdir(parents=True)
    build, work = str(tmp_path / "build"), str(tmp_path / "build" / "work")
    command = sandbox.command(["bwrap"], ["python"], [build, str(tmp_path / "build")], [work])
    assert command.index(build) < command.index(work)


def test_what_lies_in_a_bound_folder_is_not_bound_again(tmp_path):
    (tmp_path / "a").write_text("")
    command = sandbox.command(["bwrap"], ["python"], [str(tmp_path), str(tmp_path / "a")], [])
    assert str(tmp_path / "a") not in command


def test_links_on_the_way_are_there_too(tmp_path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "real" / "deep" / "w.pth").write_text("")
    (tmp_path / "short").symlink_to("real/deep")
    (tmp_path / "w").symlink_to(tmp_path / "short" / "w.pth")
    command = sandbox.command(["bwrap"], ["python"], [str(tmp_path / "w")], [])
    assert (str(tmp_path / "real" / "deep" / "w.pth"),) * 2 in options(command, "--ro-bind")
    assert ("real/deep", str(tmp_path / "short")) in options(command, "--symlink")
    assert (str(tmp_path / "short" / "w.pth"), str(tmp_path / "w")) in options(command, "--symlink")


def test_a_path_that_leads_nowhere_is_one_sentence(tmp_path):
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(RunnerError, match=f"there is no {tmp_path}/gone: it is a link to {tmp_path}/nowhere"):
        sandbox.command(["bwrap"], ["python"], [str(tmp_path / "gone")], [])
    with pytest.raises(RunnerError, match="round is a link that leads back to itself"):
        sandbox.command(["bwrap"], ["python"], [str(tmp_path / "round")], [])


def test_the_gpu_is_given_only_to_who_asks(monkeypatch):
    monkeypatch.setattr(sandbox.glob, "glob", lambda pattern: ["/dev/nvidia0"] if "nvidia" in pattern else [])
    assert options(sandbox.command(["bwrap"], ["python"], [], []), "--dev-bind") == []
    command = sandbox.command(["bwrap"], ["python"], [], [], gpu=True)
    assert options(command, "--dev-bind") == [("/dev/nvidia0", "/dev/nvidia0")]


def test_of_the_environment_only_what_a_stage_needs_is_passed_on(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("TF_VAR_password", "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("MODEL", "models/a.py")
    given = sandbox.environment(["MODEL"])
    assert "secret" not in given.values()
    assert (given["LC_ALL"], given["MODEL"], given["HOME"]) == ("C.UTF-8", "models/a.py", "/tmp")


def test_an_environment_is_given_with_the_python_it_was_made_with_and_no_home(tmp_path):
    home = tmp_path / "home"
    for folder in ("bin", "lib", "Documents", "env/bin"):
        (home / folder).mkdir(parents=True)
    (home / "bin" / "python3.8").write_text("")
    (home / "env" / "bin" / "python").symlink_to(home / "bin" / "python3.8")
    (home / "env" / "pyvenv.cfg").write_text(f"home = {home}/bin\nversion_info = 3.8.20\n")
    found = sandbox.interpreter_paths(str(home / "env" / "bin" / "python"))
    assert set(found) == {str(home / part) for part in ("env", "env/bin/python", "bin", "lib")}


class Inside:
    """Runs Python under bubblewrap with an airlock to write to."""

    def __init__(self, bwrap, folder):
        self.bwrap, self.airlock = bwrap, folder / "airlock"
        self.airlock.mkdir()

    def __call__(self, program, *arguments, reads=(), gpu=False):
        """What the program printed; it must succeed."""
        python = [PYTHON, "-s", "-c", textwrap.dedent(program), *map(str, arguments)]
        given = [*sandbox.interpreter_paths(PYTHON), *map(str, reads)]
        command = sandbox.command(self.bwrap, python, given, [str(self.airlock)], gpu)
        done = subprocess.run(command, env=sandbox.environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture()
def inside(tmp_path):
    return Inside(must_work(), tmp_path)


REFUSED = """
import sys
try:
    exec(sys.argv[1])
    print("done")
except Exception as error:
    print(type(error).__name__, error)
"""
DEEDS = {
    "open a socket": ("import socket; socket.create_connection(('192.0.2.1', 80), 5)", "Network is unreachable"),
    "resolve a name": ("import socket; socket.getaddrinfo('localhost.example', 80)", "gaierror"),
    "write to the root": ("open('/planted', 'w')", "Read-only file system"),
    "write to the system": ("open('/usr/planted', 'w')", "Read-only file system"),
    "write to its interpreter": ("import os; open(os.__file__, 'a')", "Read-only file system"),
    "write beside the scripts": (f"open({str(ROOT / 'scripts' / 'planted.py')!r}, 'w')", "Read-only file system"),
    "write beside the model": ("open('{model}/planted.py', 'w')", "Read-only file system"),
    "set what the kernel starts for a crash": ("open('/proc/sys/kernel/core_pattern', 'w')", "Read-only file system"),
    "change a kernel's setting": ("open('/proc/sys/vm/swappiness', 'w')", "Read-only file system"),
    "read the caller's home": ("open('{secret}')", "No such file or directory"),
    "read another's password file": ("open('/etc/shadow')", "No such file or directory"),
    "become another user": ("import os; os.setuid(12345)", "Invalid argument"),
    "make namespaces of its own": (
        "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); "
        "r = c.unshare(0x10000000); "
        "assert r == 0, os.strerror(ctypes.get_errno())",
        "AssertionError",
    ),
    "see the processes outside": ("import os; os.kill({pid}, 0)", "No such process"),
    "type into the terminal": ("open('/dev/tty', 'w')", "No such device or address"),
    "mount a folder": (
        "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); "
        "r = c.mount(b'none', b'/tmp', b'tmpfs', 0, None); assert r == 0, os.strerror(ctypes.get_errno())",
        "Operation not permitted",
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_it_cannot(inside, tmp_path, deed):
    if deed == "make namespaces of its own" and "--disable-userns" not in inside.bwrap:
        pytest.xfail("this bubblewrap is older than 0.8, which learnt to forbid it")
    (tmp_path / "id_ed25519").write_text("a private key")
    (tmp_path / "model").mkdir()
    code, refusal = DEEDS[deed]
    code = code.format(secret=tmp_path / "id_ed25519", model=tmp_path / "model", pid=os.getpid())
    said = inside(REFUSED, code, reads=[ROOT / "scripts", tmp_path / "model"])
    assert refusal in said, said


def test_it_has_no_capability_and_is_who_the_caller_is(inside):
    status = dict(
        line.split(":\t", 1) for line in inside("print(open('/proc/self/status').read())").splitlines() if ":\t" in line
    )
    assert {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == dict.fromkeys(
        ("CapEff", "CapPrm", "CapBnd", "CapInh"), 0
    )
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split()[0] == str(os.getuid())


def test_what_it_writes_to_the_airlock_is_the_callers_and_the_rest_is_gone(inside):
    inside(
        "import sys; [open(folder + '/made', 'wb').write(bytes(range(256))) for folder in sys.argv[1:]]",
        inside.airlock, "/tmp", "/dev/shm",
    )  # fmt: skip
    made = inside.airlock / "made"
    assert made.stat().st_uid == os.getuid()
    assert hashlib.sha256(made.read_bytes()).hexdigest() == hashlib.sha256(bytes(range(256))).hexdigest()
    assert not os.path.exists("/tmp/made")
    assert not os.path.exists("/dev/shm/made")


def test_it_may_fork_and_share_memory(inside):
    said = inside(
        """
        import multiprocessing
        with multiprocessing.Pool(2) as pool:
            print(sum(pool.map(abs, [-1, -2])))
        """
    )
    assert said == "3\n"


def test_it_counts_the_same_processors(inside):
    counted = "import os; print(os.cpu_count(), sorted(os.sched_getaffinity(0)))"
    assert inside(counted) == f"{os.cpu_count()} {sorted(os.sched_getaffinity(0))}\n"
