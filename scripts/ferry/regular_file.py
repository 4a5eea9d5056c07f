"""Open a file that the user gave, if it is one: opening a FIFO waits for ever, and reading a device may never end."""

import errno
import hashlib
import os
import stat
from typing import BinaryIO

_PIECE = 1 << 20
_KINDS = [
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
]


def open_for_reading(path: str) -> BinaryIO:
    """The regular file ``path``, or the one that it links to, open for reading.

    Raises:
        OSError: there is none, it may not be read, or it is of another kind, which the error's ``strerror`` then says.
    """
    _refuse(path, os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # Another may stand there by now.
        _refuse(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def sha256(path: str) -> str:
    """The digest of the file ``path``, which is read a piece at a time.

    Raises:
        OSError: as ``open_for_reading``.
    """
    digest = hashlib.sha256()
    with open_for_reading(path) as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()


def _refuse(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "of an unknown kind")
        raise OSError(errno.EINVAL, f"it is {kind}, and not a regular file", path)
