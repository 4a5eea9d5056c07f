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
from typing import Dict, Iterator, List, Optional, Tuple

from runners.paths import ROOT

ENDING = ".container"
SECONDS_TO_REMOVE = 60
# What engines say of a container that has ended meanwhile, or is about to be removed for having ended.
ALREADY_GONE = ("no such container", "no container with name or id", "is already in progress")


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


def end(engine: str, names: List[str]) -> Optional[List[str]]:
    """End containers at once, and return the names of those that were there; None where ``engine`` does not answer."""
    try:
        # Alone, Podman's rm would first wait whether they end by themselves.
        ended = _asked([engine, "kill", *names])
        removed = _asked([engine, "rm", "--force", *names])
    except (OSError, subprocess.TimeoutExpired):
        return None
    complaints = removed.stderr.decode(errors="replace").lower().splitlines()
    if removed.returncode and not all(any(phrase in line for phrase in ALREADY_GONE) for line in complaints):
        return None
    said = (ended.stdout + removed.stdout).decode(errors="replace").split()
    return [name for name in names if name in said]


def _asked(command: List[str]) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_TO_REMOVE)


def _remove(engine: str, found: List[Tuple[str, Path]]) -> None:
    ended = end(engine, [name for name, _ in found])
    if ended is None:
        # It does not answer now; a later run asks again.
        return
    for _, note in found:
        with contextlib.suppress(FileNotFoundError):
            note.unlink()
    if ended:
        print(f"ferry: ended what a killed run had left running: {', '.join(ended)}", file=sys.stderr, flush=True)
