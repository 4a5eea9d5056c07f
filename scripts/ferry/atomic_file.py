"""Write a file whole or not at all."""

import errno
import os
from typing import Any, Callable, Iterable, Optional

from ferry.errors import OutputFileError


def write_bytes(path: str, data: bytes) -> None:
    """``write_pieces`` of ``data`` alone."""
    write_pieces(path, [data])


def write_pieces(path: str, pieces: Iterable[Any], check: Optional[Callable[[str], None]] = None) -> None:
    """Put ``pieces`` into ``path``: written beside it first, then renamed over it. Makes the folder if there is none.

    ``check`` is given the path beside it; what it raises is raised, and nothing comes into ``path``.

    Raises:
        OutputFileError: the folder or file cannot be written, or the disk is full. What was in ``path`` is untouched.
    """
    partial = f"{path}.{os.getpid()}.partial"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(partial, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check(partial)
        os.replace(partial, path)
    except OSError as error:
        reason = "no room left on the disk" if error.errno == errno.ENOSPC else error.strerror
        raise OutputFileError(f"cannot write {path}: {reason}") from error
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
