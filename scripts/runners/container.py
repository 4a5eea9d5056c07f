"""The command that runs a stage in a container, with nothing in reach but what the stage needs."""

import os
from pathlib import PurePosixPath
from typing import List, Sequence

from runners.engines import Engine
from runners.paths import ROOT

INSIDE = PurePosixPath("/ferry")
# A verification starts a process for each processor, and each of them some threads.
PROCESSES = 4096


def command(
    engine: Engine,
    image: str,
    program: List[str],
    more: Sequence[str] = (),
    reads: Sequence[str] = (),
    writes: str = "",
) -> List[str]:
    """The engine's command line for a program: ``program`` is the arguments of the image's Python.

    Args:
        engine: the engine that runs it.
        image: the image's name.
        program: the words after ``python``.
        more: more options for the engine.
        reads: the files and folders that it is shown; relative to the checkout where they lie below, else absolute.
        writes: the one folder that it may write to, relative to the checkout; empty for none.
    """
    options = [*_options(engine), *_mounts(reads, writes), *_terminal(), *more]
    return [engine.name, "run", *options, "--entrypoint=python", image, "-s", *program]


def shell(engine: Engine, image: str) -> List[str]:
    """The engine's command line for a shell that is given what a stage is given, of every model."""
    (ROOT / "build").mkdir(exist_ok=True)
    options = [*_options(engine), *_mounts(["models"], "build"), "--interactive", "--tty"]
    return [engine.name, "run", *options, "--entrypoint=bash", image]


def _mounts(reads: Sequence[str], writes: str) -> List[str]:
    # A folder comes before what lies in it, which it would hide otherwise.
    mounts = [(path, False) for path in sorted(set(reads))] + ([(writes, True)] if writes else [])
    return [_mount(path, writable) for path, writable in mounts]


def _options(engine: Engine) -> List[str]:
    options = ["--rm", "--pull=never", "--network=none", "--read-only", "--cap-drop=ALL"]
    options += ["--security-opt=no-new-privileges", f"--pids-limit={PROCESSES}", f"--memory={_memory()}"]
    options += ["--tmpfs=/tmp:rw,nosuid,nodev,mode=1777", "--env=VERBOSE", *_user(engine)]
    if engine.name == "docker":
        # Python as a container's first process would not hear a signal before it has set a handler for it.
        options.append("--init")
    return options


def _terminal() -> List[str]:
    """What makes a stage's output that of a terminal where the caller's is one: the progress bar, and the colours.

    Not ``--tty``: that would make one stream of two, and where several stages run at once only one could have Ctrl-C.
    """
    if not (os.isatty(1) and os.isatty(2)):
        return []
    # https://rich.readthedocs.io/en/stable/console.html#interactive-mode
    said = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "COLUMNS": str(os.get_terminal_size(1).columns)}
    return ["--env=TERM", *(f"--env={name}={value}" for name, value in said.items())]


def _mount(path: str, writable: bool) -> str:
    parts = ["type=bind", f"src={ROOT / path}", f"dst={INSIDE / path}"] + ([] if writable else ["readonly"])
    return "--mount=" + ",".join(_quoted(part) for part in parts)


def _quoted(part: str) -> str:
    # The engines read the option as a line of CSV.
    return '"' + part.replace('"', '""') + '"' if set(part) & set(',"') else part


def _user(engine: Engine) -> List[str]:
    me = f"--user={os.getuid()}:{os.getgid()}"
    if not engine.rootless:
        # Where Docker is set to remap users, what a container writes would be another user's.
        return [me, "--userns=host"]
    # Rootless Docker shows the caller as root inside, and knows no other way; Podman can keep the number.
    return ["--user=0:0"] if engine.name == "docker" else [me, "--userns=keep-id"]


def _memory() -> str:
    """``MEMORY``, or three quarters of what the machine has: a model that runs wild must not take the rest with it."""
    given = os.environ.get("MEMORY", "")
    return given or str(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4)
