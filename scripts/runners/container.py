"""The command that runs a stage in a container, with nothing in reach but what the stage needs."""

import os
import sys
from pathlib import PurePosixPath
from typing import Dict, List, Sequence

from runners.engines import Engine
from runners.errors import RunnerError
from runners.paths import ROOT

INSIDE = PurePosixPath("/ferry")
# A verification starts a process for each processor, and each of them some threads.
PROCESSES = 4096
# The options of the stages whose values are files or folders: is it the folder itself, and does the stage write there?
READ_FROM = ("--model", "--weights", "--input")
WRITTEN_TO = ("--output",)
WRITTEN_FOLDER = ("--build",)
# A file or folder that is given itself, and none of what lies beside it. It may be the name of a distribution instead.
READ_ITSELF = ("--inputs",)
# Folders of anybody's files, and what the image has of its own: none of these is laid over it whole.
ANYBODYS = (os.environ.get("TMPDIR") or "/tmp", "/tmp", "/var/tmp")
OF_THE_IMAGE = ("bin", "dev", "etc", "ferry", "lib", "lib64", "opt/ferry", "proc", "run", "sbin", "sys", "usr", "var")


def command(engine: Engine, image: str, program: List[str], more: Sequence[str] = ()) -> List[str]:
    """The engine's command line for a stage: ``program`` is the arguments of the image's Python, ``more`` more options.

    Raises:
        RunnerError: the program is to write outside the checkout, or a folder for its output cannot be made.
    """
    program = _from_the_root(program)
    given = folders(program)
    for path in given:
        if path in program and not given[path] and program[program.index(path) - 1] in READ_FROM:
            print(f"ferry: of its folder, which holds much else, the container sees {path} alone", file=sys.stderr)
    options = [*_options(engine, given), *_terminal(), *more]
    return [engine.name, "run", *options, "--entrypoint=python", image, "-s", *program]


def shell(engine: Engine, image: str) -> List[str]:
    """The engine's command line for a shell that is given what a stage is given, of every model."""
    options = [*_options(engine, {"models": False, "build": True}), "--interactive", "--tty"]
    return [engine.name, "run", *options, "--entrypoint=bash", image]


def folders(program: List[str]) -> Dict[str, bool]:
    """What a stage with these arguments uses, relative to the checkout if it lies below, and whether it writes there.

    These are folders, but for a file in one that holds much else: of that folder a container sees this file alone.
    """
    found: Dict[str, bool] = {}
    for option, value in zip(program, program[1:]):
        if option in READ_FROM:
            folder = os.path.dirname(value)
            found.setdefault(value if _is_shared(folder) else folder, False)
        elif option in WRITTEN_TO:
            found[os.path.dirname(value)] = True
        elif option in WRITTEN_FOLDER:
            found[value] = True
        elif option in READ_ITSELF and os.path.lexists(ROOT / value):
            found.setdefault(os.path.normpath(value), False)
    return found


def _from_the_root(program: List[str]) -> List[str]:
    """The arguments with the files that a stage reads from outside the checkout as absolute paths."""
    found = list(program)
    for position, (option, value) in enumerate(zip(program, program[1:]), 1):
        given = option in READ_FROM or (option in READ_ITSELF and os.path.lexists(ROOT / value))
        if given and not _is_below(value):
            found[position] = os.path.normpath(str(ROOT / value))
    return found


def _is_below(path: str) -> bool:
    return not os.path.isabs(path) and os.path.normpath(path).split(os.sep)[0] not in (os.pardir, os.curdir)


def _is_shared(folder: str) -> bool:
    """Whether a folder holds more than a model: the checkout, the caller's home, anybody's files, a system."""
    if os.path.isabs(folder) and any((folder + os.sep).startswith(f"/{name}/") for name in OF_THE_IMAGE):
        return True
    real = os.path.realpath(str(ROOT / folder))
    homes = [os.path.realpath(str(path)) for path in (ROOT, os.path.expanduser("~"), *ANYBODYS)]
    return any(home == real or home.startswith(real.rstrip(os.sep) + os.sep) for home in homes)


def _options(engine: Engine, mounts: Dict[str, bool]) -> List[str]:
    options = ["--rm", "--pull=never", "--network=none", "--read-only", "--cap-drop=ALL"]
    options += ["--security-opt=no-new-privileges", f"--pids-limit={PROCESSES}", f"--memory={_memory()}"]
    options += ["--tmpfs=/tmp:rw,nosuid,nodev,mode=1777", "--env=VERBOSE", *_user(engine)]
    if engine.name == "docker":
        # Python as a container's first process would not hear a signal before it has set a handler for it.
        options.append("--init")
    return options + [_mount(folder, writable) for folder, writable in mounts.items()]


def _terminal() -> List[str]:
    """What makes a stage's output that of a terminal where the caller's is one: the progress bar, and the colours.

    Not ``--tty``: that would make one stream of two, and where several stages run at once only one could have Ctrl-C.
    """
    if not (os.isatty(1) and os.isatty(2)):
        return []
    # https://rich.readthedocs.io/en/stable/console.html#interactive-mode
    said = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "COLUMNS": str(os.get_terminal_size(1).columns)}
    return ["--env=TERM", *(f"--env={name}={value}" for name, value in said.items())]


def _mount(folder: str, writable: bool) -> str:
    here = ROOT / folder
    if writable:
        if not _is_below(folder):
            raise RunnerError(
                f"a container writes to folders below the checkout only, and {folder or '.'!r} is not one"
            )
        try:
            # The engine would make it too, and it would be root's.
            here.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunnerError(f"cannot make the folder {folder}: {error.strerror}") from error
    parts = ["type=bind", f"src={here}", f"dst={INSIDE / folder}"] + ([] if writable else ["readonly"])
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
