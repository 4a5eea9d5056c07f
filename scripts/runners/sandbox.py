"""What a stage of the virtual environment sees of this machine under bubblewrap: what a container would show it.

The options are those of https://github.com/containers/bubblewrap, as its manual of version 0.4 has them.
"""

import glob
import os
from typing import Dict, Iterable, List, Sequence, Tuple

from runners.errors import RunnerError

# What programs need of the system, to read: no home, no keys, no sockets.
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime"),
    # Runtimes count the processors there.
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
GPU_DEVICES = ("/dev/nvidia*", "/dev/dxg")
# An environment variable may hold a password, so only what a stage is known to need is passed on.
PASSED_ON = (
    *("PATH", "LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "VERBOSE"),
    *("CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL", "PYTHONDONTWRITEBYTECODE"),
)
PASSED_ON_PREFIXES = ("FERRY_", "LC_", "TTY_", "OMP_", "KMP_", "MKL_", "OPENBLAS_")
# As in the images. The last one tells a stage where it is.
OF_ITS_OWN = {"HOME": "/tmp", "USER": "ferry", "FERRY_SANDBOX": "bwrap"}
MOST_LINKS = 40


def command(
    bwrap: Sequence[str], program: Sequence[str], reads: Iterable[str], writes: Iterable[str], gpu: bool = False
) -> List[str]:
    """The command line that runs ``program`` with nothing in reach but the system and what it is given.

    Args:
        bwrap: bubblewrap's program, and the options that only some versions have.
        program: the program with its arguments; the first is an interpreter that ``reads`` has.
        reads: absolute paths of the files and folders that it reads; they have the same paths inside.
        writes: absolute paths of the folders that it may write to. Everything else that it writes is in memory.
        gpu: whether it is given NVIDIA's devices.

    Raises:
        RunnerError: a path leads nowhere, or round in circles.
    """
    isolated = ["--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    mounts = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp"]
    if gpu:
        devices = sorted(device for pattern in GPU_DEVICES for device in glob.glob(pattern))
        mounts += [word for device in devices for word in ("--dev-bind", device, device)]
    mounts += _binds([*filter(os.path.exists, SYSTEM), *reads], list(writes))
    # Root may write to /proc/sys even without a capability: to the program that the kernel starts for a crash, say.
    closed = [word for folder in ("/proc", "/dev", "/") for word in ("--remount-ro", folder)]
    return [*bwrap, *isolated, "--hostname", "ferry", *mounts, *closed, "--", *program]


def environment(more: Iterable[str] = ()) -> Dict[str, str]:
    """The environment variables of a stage: this process's, as far as a stage needs them or ``more`` names them."""
    named = {*PASSED_ON, *more}
    passed = {name: value for name, value in os.environ.items() if name in named or name.startswith(PASSED_ON_PREFIXES)}
    return {**passed, **OF_ITS_OWN}


def interpreter_paths(python: str) -> List[str]:
    """What the interpreter of a virtual environment reads: the environment, and the Python that it was made with."""
    folder = os.path.dirname(os.path.dirname(python))
    base = os.path.dirname(os.path.dirname(os.path.realpath(python)))
    # The path by which the environment knows it, which may go through a link: uv has one for each minor version.
    with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
        lines = [line.partition("=") for line in file]
    known = [os.path.dirname(value.strip()) for name, _, value in lines if name.strip() == "home"]
    # Of a Python that was installed into somebody's home, the home is no part.
    parts = [os.path.join(place, part) for place in (base, *known) for part in ("bin", "lib", "lib64")]
    return [folder, python, *filter(os.path.exists, parts)]


def _binds(reads: Sequence[str], writes: Sequence[str]) -> List[str]:
    """The options that put each path where it is, with the links that lead to it."""
    links: Dict[str, str] = {}
    modes = {_follow(path, links): "--ro-bind" for path in reads}
    modes.update({_follow(path, links): "--bind" for path in writes})
    bound: List[Tuple[str, str]] = []
    # In this order a folder comes before what lies in it, which it would hide otherwise.
    for path, mode in sorted(modes.items()):
        around = next((option for folder, option in reversed(bound) if _is_in(path, folder)), None)
        if mode != around:
            bound.append((path, mode))
    options = [word for path, mode in bound for word in (mode, path, path)]
    for link, target in sorted(links.items()):
        # A link in a folder that is bound is there already.
        if not any(_is_in(link, folder) for folder, _ in bound):
            options += ["--symlink", target, link]
    return options


def _follow(path: str, links: Dict[str, str]) -> str:
    """The real path of ``path``. The links on the way to it are added to ``links``, with their targets."""
    place, left, passed = "/", _parts(path), 0
    while left:
        step = os.path.normpath(os.path.join(place, left.pop(0)))
        if os.path.islink(step):
            passed += 1
            if passed > MOST_LINKS:
                raise RunnerError(f"{path} is a link that leads back to itself")
            links[step] = os.readlink(step)
            left = _parts(links[step]) + left
            place = "/" if links[step].startswith("/") else os.path.dirname(step)
        else:
            place = step
    if not os.path.exists(place):
        raise RunnerError(f"there is no {path}" + (f": it is a link to {place}" if place != path else ""))
    return place


def _parts(path: str) -> List[str]:
    return [part for part in path.split("/") if part]


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
