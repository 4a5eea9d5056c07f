"""Folders that one process works in: locked while it lives, so that what a killed one left can be told and removed."""

import fcntl
import os
import shutil
import tempfile
from typing import Optional


class WorkFolder:
    """A fresh folder ``path`` in ``parent``, named ``prefix`` and some letters, until ``remove`` or ``keep``.

    Those that processes which were killed left there under the same prefix are removed.

    Raises:
        OSError: there is no such parent, or it cannot be written to.
    """

    def __init__(self, parent: str, prefix: str):
        # Nobody may take a folder for an abandoned one between its making and its locking.
        holds_all = _locked(parent, wait=True)
        try:
            _remove_abandoned(parent, prefix)
            self.path = tempfile.mkdtemp(prefix=prefix, dir=parent)
            self._lock = _locked(self.path)
        finally:
            _release(holds_all)

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.keep()

    def keep(self) -> None:
        """It is no longer this process's own, and stays, under whatever name it has been given."""
        _release(self._lock)
        self._lock = None


def remove_unlocked(folder: str) -> bool:
    """Remove ``folder`` unless a process works in it; is it gone?"""
    lock = _locked(folder)
    if lock is None:
        return not os.path.exists(folder)
    shutil.rmtree(folder, ignore_errors=True)
    _release(lock)
    return True


def _remove_abandoned(parent: str, prefix: str) -> None:
    for name in os.listdir(parent):
        if name.startswith(prefix) and os.path.isdir(os.path.join(parent, name)):
            remove_unlocked(os.path.join(parent, name))


def _locked(folder: str, wait: bool = False) -> Optional[int]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # Held by another process, or a file system without locks.
        os.close(descriptor)
        return None
    return descriptor


def _release(descriptor: Optional[int]) -> None:
    if descriptor is not None:
        os.close(descriptor)
