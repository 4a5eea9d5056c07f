"""Does bubblewrap work on this machine, and what is to be done where it does not?"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union

from runners import sandbox
from runners.errors import RunnerError
from runners.paths import ENVIRONMENTS

SANDBOXES = ("none", "bwrap")
SECONDS_TO_ANSWER = 20
# Since bubblewrap 0.8: a program in the sandbox makes no namespaces of its own, in which it would be root again.
ONLY_SOME_HAVE = ("--disable-userns",)
NOT_THERE = "there is no `bwrap` on PATH (`sudo apt install bubblewrap`, or your system's package of that name)"
APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
CLONE = "/proc/sys/kernel/unprivileged_userns_clone"
MOST = "/proc/sys/user/max_user_namespaces"
BOOT, MOUNTS = "/proc/sys/kernel/random/boot_id", "/proc/self/ns/mnt"
# A kernel's setting that forbids what bubblewrap does, and how it is changed.
FORBIDDEN = (
    (
        APPARMOR,
        "1",
        "AppArmor forbids it here; `sudo apt install apparmor-profiles`, then `sudo apparmor_parser -r "
        "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict`, allows it to bwrap alone, and `sudo sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0` to every program",
    ),
    (CLONE, "0", "the kernel is set to forbid it; `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows it"),
    (MOST, "0", "the kernel is set to forbid it; `sudo sysctl -w user.max_user_namespaces=15000` allows it"),
)
ELSEWHERE = "most containers forbid it to what runs in them, and there it is not needed"


class Works(NamedTuple):
    """Bubblewrap, with the options that this version of it has."""

    command: List[str]


class Fails(NamedTuple):
    """Why there is no sandbox, and what to do about it."""

    trouble: str


def choose() -> Optional[List[str]]:
    """Bubblewrap's command for the stages of the virtual environment, or None where they run without a sandbox.

    ``SANDBOX`` decides it. Unset, there is a sandbox where bubblewrap works; where it doesn't, one line says so, once.

    Raises:
        RunnerError: ``SANDBOX`` is neither of its two values, or asks for what does not work here.
    """
    wanted = os.environ.get("SANDBOX", "")
    if wanted and wanted not in SANDBOXES:
        raise RunnerError(f"there is no SANDBOX {wanted!r}; it is one of {', '.join(SANDBOXES)}")
    if wanted == "none":
        return None
    answer = ask()
    if isinstance(answer, Works):
        return answer.command
    if wanted:
        raise RunnerError(f"SANDBOX=bwrap does not work here: {answer.trouble}. SANDBOX=none runs stages without")
    if _kept().get("said") != answer.trouble:
        print(
            "ferry: the stages run without a sandbox, so a model file can do what you can: `make doctor` says why",
            file=sys.stderr,
            flush=True,
        )
        _keep(said=answer.trouble)
    return None


def ask() -> Union[Works, Fails]:
    """Whether bubblewrap works here. That it does is remembered for as long as nothing changes that it depends on."""
    program = shutil.which("bwrap")
    if program is None:
        return Fails(NOT_THERE)
    machine, kept = _machine(program), _kept()
    if kept.get("machine") == machine and kept.get("command"):
        return Works(kept["command"])
    complaint = ""
    for options in (ONLY_SOME_HAVE, ()):
        complaint = _complaint([program, *options])
        if not complaint:
            _keep(machine=machine, command=[program, *options])
            return Works([program, *options])
    return Fails(f"{complaint} ({_remedy()})")


def version(command: List[str]) -> str:
    """What bubblewrap calls itself."""
    asked = subprocess.run([command[0], "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return asked.stdout.decode(errors="replace").strip() or command[0]


def _complaint(bwrap: List[str]) -> str:
    """Bubblewrap's last words where it cannot run a program as it would run a stage; empty where it can."""
    program = shutil.which("true") or "/bin/true"
    trial = sandbox.command(bwrap, [program], [program], [])
    try:
        tried = subprocess.run(
            trial,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS_TO_ANSWER,
        )
    except OSError as error:
        return f"`{bwrap[0]}` does not start: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"`bwrap` has not answered within {SECONDS_TO_ANSWER} s"
    if tried.returncode == 0:
        return ""
    said = tried.stderr.decode(errors="replace").strip().splitlines()
    return (said or [f"`bwrap` ended with {tried.returncode} and gave no reason"])[-1]


def _remedy() -> str:
    for path, value, remedy in FORBIDDEN:
        if _read(path) == value:
            return remedy
    return ELSEWHERE


def _machine(program: str) -> List[Any]:
    """What the answer depends on: this boot, the mounts seen (a container has others), the user, the program."""
    about = os.stat(program)
    settings = [_read(path) for path, _, _ in FORBIDDEN]
    here = [_read(BOOT), os.stat(MOUNTS).st_ino, os.getuid()]
    return [*here, program, about.st_size, about.st_mtime, *settings]


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text().strip()
    return ""


def _file() -> Path:
    return ENVIRONMENTS / "sandbox.json"


def _kept() -> Dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(_file().read_text())
        if isinstance(kept, dict):
            return kept
    return {}


def _keep(**facts: Any) -> None:
    # Where it cannot be kept, it is found out again.
    with contextlib.suppress(OSError):
        partial = _file().with_name(f"sandbox.{os.getpid()}.json")
        partial.write_text(json.dumps({**_kept(), **facts}))
        partial.replace(_file())
