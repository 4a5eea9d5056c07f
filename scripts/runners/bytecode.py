"""Compiled Python modules of Ferry itself: in a sandbox a stage cannot keep what it compiles, so it is done before."""

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Iterator

from runners.paths import ENVIRONMENTS, ROOT

SOURCES = ROOT / "scripts"


def ensure(python: str) -> None:
    """Compile Ferry's modules for the interpreter ``python``, unless they are as they were when it was last done.

    Where it cannot be done, each stage compiles for itself.
    """
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return
    done = ENVIRONMENTS / f"bytecode-{Path(python).parent.parent.name}"
    state = _state()
    with contextlib.suppress(OSError):
        if done.read_text() == state:
            return
    subprocess.run(
        [python, "-s", "-m", "compileall", "-q", "-q", str(SOURCES)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(OSError):
        done.write_text(state)


def _state() -> str:
    stats = [entry.stat() for entry in _sources(str(SOURCES))]
    return f"{SOURCES} {len(stats)} {max(stat.st_mtime_ns for stat in stats)}"


def _sources(folder: str) -> "Iterator[os.DirEntry[str]]":
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                yield entry
