"""PyTorch's outputs on the disk, so that a later check of the same model on the same inputs need not run it again.

A folder a key, a file a chunk of samples. When all chunks are in it the folder gets its key file: what an interrupted
check leaves has none, is never read, and goes with the next check.
"""

import fcntl
import hashlib
import json
import os
import shutil
import zipfile
import zlib
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from ferry import atomic_file

# Raised when what is kept, or how it is computed, changes.
FORMAT = 1
# References larger than this are not kept: they pass through the disk, no more of them at a time than IN_FLIGHT.
KEPT_BYTES = 4 << 30
IN_FLIGHT_BYTES = 1 << 30
# Room that a check leaves free on the disk.
SPARE_BYTES = 1 << 30
PARTIAL = ".partial"
KEY_FILE = "key.json"


class Chunk(NamedTuple):
    """The reference's outputs and PyTorch's in float32: each a list of [samples, *shape], one entry an output.

    Where float64 could not be run the two are the same.
    """

    reference: List[np.ndarray]
    float32: List[np.ndarray]


def key_of(parts: Dict[str, Any]) -> str:
    """A digest of everything that decides the reference's bytes."""
    return hashlib.sha256(json.dumps({"format": FORMAT, **parts}, sort_keys=True).encode()).hexdigest()


def path_of(folder: str, start: int) -> str:
    """The file of the chunk whose first sample is ``start``."""
    return os.path.join(folder, f"{start:08d}.npz")


def write(folder: str, start: int, chunk: Chunk) -> None:
    """Put a chunk in its place, whole."""
    arrays = {f"reference_{position}": array for position, array in enumerate(chunk.reference)}
    if chunk.float32 is not chunk.reference:
        arrays.update({f"float32_{position}": array for position, array in enumerate(chunk.float32)})
    path = path_of(folder, start)
    with open(path + PARTIAL, "wb") as file:
        np.savez(file, **arrays)
    os.replace(path + PARTIAL, path)


def read(folder: str, start: int) -> Optional[Chunk]:
    """The chunk, or ``None`` where it is missing or damaged: a checksum is kept with each array."""
    try:
        with np.load(path_of(folder, start), allow_pickle=False) as held:
            outputs = sum(name.startswith("reference_") for name in held.files)
            reference = [held[f"reference_{position}"] for position in range(outputs)]
            if "float32_0" not in held.files:
                return Chunk(reference, reference)
            return Chunk(reference, [held[f"float32_{position}"] for position in range(outputs)])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


class ReferenceStore:
    """The references in ``folder``: those of one key at a time, in ``working``."""

    def __init__(self, folder: str, key: str):
        self.working = os.path.join(folder, key[:16])
        self._folder, self._key = folder, key
        self._lock: Optional[int] = None
        os.makedirs(folder, exist_ok=True)

    def find(self) -> Optional[Dict[str, Any]]:
        """What was noted with the whole references of this key; ``None`` where there are none."""
        try:
            with open(os.path.join(self.working, KEY_FILE)) as file:
                held = json.load(file)
        except (OSError, ValueError):
            return None
        return held.get("note") if isinstance(held, dict) and held.get("key") == self._key else None

    def begin(self) -> None:
        """Make an empty folder that chunks are written to."""
        for name in os.listdir(self._folder):
            self._remove(os.path.join(self._folder, name), whole=False)
        if not self._remove(self.working, whole=True):
            # Another check is at work on the same.
            self.working += f".{os.getpid()}"
        os.makedirs(self.working)
        self._lock = _locked(self.working)

    def commit(self, note: Dict[str, Any]) -> None:
        """All chunks are written: let later checks find them, and let those of other keys go."""
        data = json.dumps({"key": self._key, "note": note}, indent=2).encode()
        atomic_file.write_bytes(os.path.join(self.working, KEY_FILE), data)
        self._unlock()
        for name in os.listdir(self._folder):
            if name != os.path.basename(self.working):
                self._remove(os.path.join(self._folder, name), whole=True)

    def discard(self) -> None:
        """Remove what was begun and not committed."""
        if self._lock is not None:
            shutil.rmtree(self.working, ignore_errors=True)
            self._unlock()

    def room_for(self, size: int) -> bool:
        """Whether references of ``size`` bytes are small enough to be kept, here and in general."""
        return size <= KEPT_BYTES and size + SPARE_BYTES <= shutil.disk_usage(self._folder).free

    def _remove(self, path: str, whole: bool) -> bool:
        """Remove a folder nobody is writing to, if it is not whole or whole ones are meant too; is it gone?"""
        if not whole and os.path.exists(os.path.join(path, KEY_FILE)):
            return False
        if os.path.isdir(path):
            lock = _locked(path)
            if lock is None:
                return False
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: str) -> Optional[int]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
