"""Which files of the user's a stage has read, as a rule that make includes: a changed one makes the model anew."""

import os
import sys
from typing import List, Set

from ferry import atomic_file

# What make's language reads as its own in a file's name.
_UNSPEAKABLE = set("%:=|;'*?[\n")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/run/")


def watch() -> Set[str]:
    """Begin to note the files that are opened for reading; the set that is returned grows as they are."""
    opened: Set[str] = set()

    def note(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[2] & os.O_ACCMODE == os.O_RDONLY:
            opened.add(os.path.abspath(arguments[0]))

    sys.addaudithook(note)
    return opened


def write(target: str, opened: Set[str], made_of: str) -> None:
    """Write ``target.d``: the rule, and ``made_of`` as the variable ``MADE_OF/<name of the target's folder>``.

    Raises:
        OutputFileError: it cannot be written.
    """
    modules = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    files = _users(opened | {os.path.abspath(file) for file in modules if file})
    name = os.path.basename(os.path.dirname(os.path.abspath(target)))
    lines = [f"MADE_OF/{name} := {made_of}"]
    if files:
        escaped = [_escaped(file) for file in files]
        # Each is a target of its own with nothing to do, so that one that is gone is a reason to make, not an error.
        lines += [f"{_escaped(target)}: {' '.join(escaped)}", *(f"{file}:" for file in escaped)]
    atomic_file.write_bytes(f"{target}.d", "\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))


def _users(files: Set[str]) -> List[str]:
    """Those that are neither the environment's nor Ferry's nor the system's, relative to here if they are below."""
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    others = tuple(os.path.realpath(each) + os.sep for each in (ours, sys.prefix, sys.base_prefix))
    found = set()
    for file in files:
        real = os.path.realpath(file)
        if real.startswith((*others, *_SYSTEM)) or file.endswith(".pyc") or not os.path.isfile(file):
            continue
        relative = os.path.relpath(file)
        shown = file if relative.startswith(os.pardir) else relative
        if not _UNSPEAKABLE & set(shown):
            found.add(shown)
    return sorted(found)


def _escaped(file: str) -> str:
    return file.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
