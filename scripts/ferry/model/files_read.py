"""Which files a stage has read, for the runner: by their digests it knows whether what was built from them is stale.

Written as JSON: ``{"files": {PATH: {"sha256": …, "looks": [size, mtime_ns, ctime_ns, inode]}}, "sources": [PATH]}``.
The files are the user's, the sources Ferry's own, relative to the checkout. The digest of one that was changed while
the stage ran is empty: nobody knows which of its contents was read.
"""

import hashlib
import json
import os
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional, Set

from ferry import atomic_file
from ferry.model import user_packages

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_SCRIPTS = os.path.join(ROOT, "scripts") + os.sep
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/run/")


class _Watch(NamedTuple):
    """How each file looked when it was first opened to be read, which were written, and the time when this began."""

    read: Dict[str, Optional[List[int]]]
    written: Set[str]
    since: int


# What is watched: nothing, until ``watch`` is called.
_watched = _Watch({}, set(), 0)
_others: List[Dict[str, Any]] = []


def watch() -> None:
    """Begin to note the files that this process opens."""
    global _watched  # noqa: PLW0603  # an audit hook lasts as long as its process
    _watched = begun = _Watch({}, set(), time.time_ns())

    def note(event: str, arguments: tuple) -> None:
        if event != "open" or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if arguments[2] & os.O_ACCMODE != os.O_RDONLY:
            begun.written.add(path)
        elif path not in begun.read:
            begun.read[path] = _looks(path)

    sys.addaudithook(note)


def write(target: str, given: Dict[str, Any]) -> None:
    """Write to ``target`` what was read. The files that are values of ``given`` are the runner's own to look at.

    Raises:
        OutputFileError: it cannot be written.
    """
    held = report(given)
    for other in _others:
        held["files"].update(other["files"])
        held["sources"] = sorted({*held["sources"], *other["sources"]})
    atomic_file.write_bytes(target, json.dumps(held, sort_keys=True).encode())


def also(other: Dict[str, Any]) -> None:
    """Take what another interpreter has read for this stage, which is its ``report``, as read by this one."""
    _others.append(other)


def report(given: Dict[str, Any]) -> Dict[str, Any]:
    """What was read, as ``write`` writes it."""
    known = {os.path.abspath(value) for value in given.values() if isinstance(value, str) and value}
    modules = {os.path.abspath(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    sources = sorted(os.path.relpath(file, ROOT) for file in modules if file.startswith(_SCRIPTS) and _is_source(file))
    files = {_shown(path): _entry(path) for path in sorted(_users(modules)) if path not in known}
    return {"files": files, "sources": sources}


def _users(modules: Set[str]) -> Set[str]:
    """The files that were read and are neither the environment's nor Ferry's nor the system's nor the stage's own."""
    folders = (_SCRIPTS, sys.prefix, sys.base_prefix, user_packages.folder())
    others = tuple(os.path.realpath(each) + os.sep for each in folders if each)
    found = set()
    for path in {*modules, *_watched.read} - _watched.written:
        foreign = not os.path.realpath(path).startswith((*others, *_SYSTEM)) and not path.endswith(".pyc")
        if foreign and os.path.isfile(path):
            found.add(path)
    return found


def _entry(path: str) -> Dict[str, Any]:
    now = _looks(path)
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except OSError:
        now = None
    # When a module's file was read nobody has noted.
    changed = now is None or max(now[1], now[2]) > _watched.since > 0
    if changed or _watched.read.get(path, now) != now:
        return {"sha256": "", "looks": []}
    return {"sha256": digest.hexdigest(), "looks": now}


def _looks(path: str) -> Optional[List[int]]:
    """What tells one content of a file from another without reading it, as the runners' ``digests.look`` has it."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _is_source(file: str) -> bool:
    return file.endswith(".py") and os.path.isfile(file)


def _shown(path: str) -> str:
    relative = os.path.relpath(path, ROOT)
    return path if relative.startswith(os.pardir + os.sep) else relative
