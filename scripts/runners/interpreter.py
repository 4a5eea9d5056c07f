"""Find a Python of a certain version where people have one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, Optional

from runners.errors import RunnerError

# What the wheels in the locks are built for.
PROBE = (
    "import platform, struct, sys;"
    "sys.exit(not ('%%d.%%d' %% sys.version_info[:2] == '%s' and struct.calcsize('P') == 8"
    " and platform.machine() == 'x86_64' and platform.python_implementation() == 'CPython'))"
)


def find(version: str, uv: Path, variables: Dict[str, str]) -> str:
    """The path of a Python ``version``, as in 3.8: on PATH, else pyenv's, else uv's own, else one that uv downloads.

    Raises:
        RunnerError: there is none, and uv could not provide one.
    """
    for candidate in _candidates(version):
        if answers(candidate, version):
            return candidate
    managed = _uv_python(version, uv, variables)
    if managed:
        return managed
    print(f"ferry: no Python {version} found; uv fetches one", file=sys.stderr, flush=True)
    installed = subprocess.run([str(uv), "python", "install", version], env=variables).returncode == 0
    managed = _uv_python(version, uv, variables) if installed else None
    if managed:
        return managed
    raise RunnerError(
        f"the pinned packages need Python {version} (64-bit, x86-64 Linux), and there is none: not on PATH as "
        f"python{version}, not among pyenv's versions, not among uv's, and uv could not download it. Install it with "
        f"`pyenv install {version}`, or with `uv python install {version}` where the network allows, and run this again"
    )


def answers(program: str, version: str) -> bool:
    """Whether ``program`` is a working CPython ``version``. pyenv puts programs on PATH that only print an error."""
    try:
        probe = subprocess.run(
            [program, "-c", PROBE % version], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    roots = [os.environ.get("PYENV_ROOT"), os.path.expanduser("~/.pyenv")]
    for root in filter(None, roots):
        for patch in sorted(Path(root, "versions").glob(f"{version}.*"), key=_patch, reverse=True):
            yield str(patch / "bin" / "python")


def _patch(folder: Path) -> int:
    patch = folder.name.rsplit(".", 1)[-1]
    return int(patch) if patch.isdigit() else -1


def _uv_python(version: str, uv: Path, variables: Dict[str, str]) -> Optional[str]:
    command = [str(uv), "python", "find", "--no-python-downloads", version]
    asked = subprocess.run(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    path = asked.stdout.decode(errors="replace").strip()
    return path if asked.returncode == 0 and path and answers(path, version) else None
