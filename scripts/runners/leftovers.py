"""Containers that outlived their runner: each has a name, and a note in the build folder for as long as it runs.

A note is locked by the runner that wrote it. The kernel lets go of the lock when the runner ends in whatever way, so a
note whose lock can be had is of a run that did not end as it should, and its container may be running still.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

from runners.paths import ROOT

ENDING = ".container"
SECONDS_TO_REMOVE = 60
# What engines say of a container that has ended meanwhile.
ALREADY_GONE = ("no such container", "no container with name or id")


def new_name() -> str:
    """A container's name that no other one has."""
    return f"ferry-{uuid.uuid4().hex[:12]}"


def options(name: str) -> List[str]:
    """The engine's options that give a container its name, and the labels it can be found by."""
    checkout = hashlib.sha256(os.fsencode(str(ROOT))).hexdigest()[:16]
    return [f"--name={name}", f"--label=ferry.checkout={checkout}", f"--label=ferry.runner={os.getpid()}"]


@contextlib.contextmanager
def noted(folder: Path, engine: str, name: str) -> Iterator[None]:
    """Keep a note in ``folder`` that ``engine`` runs the container ``name``, for as long as this lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / (name + ENDING)
    partial = folder / f".{name}"
    with open(str(partial), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{engine} {name}\n")
        file.flush()
        # It has its name once it is locked and whole: nobody else's run takes it for one that was left.
        partial.rename(note)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                note.unlink()


def sweep(folder: Path) -> None:
    """End the containers noted in ``folder`` whose runner has ended. Where there is no note, no engine is asked."""
    left: Dict[str, List[Tuple[str, Path]]] = {}
    with contextlib.ExitStack() as locks:
        for note in sorted(folder.glob("*" + ENDING)):
            with contextlib.suppress(OSError, ValueError):
                file = locks.enter_context(open(str(note)))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                engine, name = file.read().split()
                left.setdefault(engine, []).append((name, note))
        for engine, found in left.items():
            _remove(engine, found)


def _remove(engine: str, found: List[Tuple[str, Path]]) -> None:
    names = [name for name, _ in found]
    try:
        asked = subprocess.run(
            [engine, "rm", "--force", *names], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_TO_REMOVE
        )
    except (OSError, subprocess.TimeoutExpired):
        # Its engine does not answer now; a later run asks again.
        return
    complaints = asked.stderr.decode(errors="replace").lower().splitlines()
    if all(any(phrase in line for phrase in ALREADY_GONE) for line in complaints if line.strip()):
        for _, note in found:
            with contextlib.suppress(FileNotFoundError):
                note.unlink()
    removed = [name for name in names if name in asked.stdout.decode(errors="replace").split()]
    if removed:
        print(f"ferry: ended what a killed run had left running: {', '.join(removed)}", file=sys.stderr, flush=True)
