"""Find a Python 3.8 where people have one."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Iterator, Optional

from runners.errors import RunnerError

VERSION = "3.8"
# What the wheels in the lock are built for.
PROBE = (
    "import platform, struct, sys;"
    "sys.exit(not (sys.version_info[:2] == (3, 8) and struct.calcsize('P') == 8"
    " and platform.machine() == 'x86_64' and platform.python_implementation() == 'CPython'))"
)


def find(uv: Path, variables: Dict[str, str]) -> str:
    """The path of a Python 3.8: on PATH, else pyenv's, else uv's own, else one that uv downloads.

    Raises:
        RunnerError: there is none, and uv could not provide one.
    """
    for candidate in _candidates():
        if answers(candidate):
            return candidate
    managed = _uv_python(uv, ["find"], variables)
    if managed:
        return managed
    print(f"ferry: no Python {VERSION} found; uv fetches one", flush=True)
    installed = subprocess.run([str(uv), "python", "install", VERSION], env=variables).returncode == 0
    managed = _uv_python(uv, ["find"], variables) if installed else None
    if managed:
        return managed
    raise RunnerError(
        f"the pinned packages need Python {VERSION} (64-bit, x86-64 Linux), and there is none: not on PATH as "
        f"python{VERSION}, not among pyenv's versions, not among uv's, and uv could not download it. Install it with "
        f"`pyenv install {VERSION}`, or with `uv python install {VERSION}` where the network allows, and run this again"
    )


def answers(program: str) -> bool:
    """Whether ``program`` is a working CPython 3.8. pyenv leaves a ``python3.8`` on PATH that only prints an error."""
    try:
        probe = subprocess.run([program, "-c", PROBE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def _candidates() -> Iterator[str]:
    on_path = shutil.which(f"python{VERSION}")
    if on_path:
        yield on_path
    roots = [os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")]
    for root in filter(None, roots):
        for version in sorted(Path(root, "versions").glob(f"{VERSION}.*"), key=_patch, reverse=True):
            yield str(version / "bin" / "python")


def _patch(version: Path) -> int:
    patch = version.name.rsplit(".", 1)[-1]
    return int(patch) if patch.isdigit() else -1


def _uv_python(uv: Path, arguments: list, variables: Dict[str, str]) -> Optional[str]:
    command = [str(uv), "python", *arguments, "--no-python-downloads", VERSION]
    asked = subprocess.run(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    path = asked.stdout.decode(errors="replace").strip()
    return path if asked.returncode == 0 and path and answers(path) else None
