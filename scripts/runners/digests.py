"""Digests of files, and what tells without reading a file whether it can be another one than before."""

import hashlib
import os
import stat
from typing import Dict, List, NamedTuple, Optional

PIECE = 1 << 20


class Digest(NamedTuple):
    """A file's SHA-256, and its size, times of change and number at that time, as ``look`` gives them."""

    sha256: str
    looks: List[int]


def look(path: str) -> Optional[List[int]]:
    """The size, both times of change in nanoseconds, and the number of the file; None where there is no regular file.

    Nobody can set the time at which the file's entry was changed, so a file that was put in the place of another one
    looks different, whatever its other times say.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def of_file(path: str) -> Optional[Digest]:
    """The digest of ``path``; None where it is no regular file, cannot be read, or changes while it is read."""
    before = look(path)
    if before is None:
        return None
    digest = hashlib.sha256()
    try:
        # Something that is no file may have taken its place since: a pipe would hold this up.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            for piece in iter(lambda: file.read(PIECE), b""):
                digest.update(piece)
    except OSError:
        return None
    return Digest(digest.hexdigest(), before) if look(path) == before else None


class Known:
    """Digests of files that are likely to be asked for again: by several stages, or after they were known once."""

    def __init__(self) -> None:
        self._known: Dict[str, Optional[Digest]] = {}

    def of(self, path: str, known: Optional[Digest] = None) -> Optional[Digest]:
        """The digest of ``path``, from ``known`` where the file still looks as it did then."""
        if path not in self._known:
            self._known[path] = known if known and look(path) == known.looks else of_file(path)
        return self._known[path]
