"""Some samples' references in one file, which is read only if it is still the one that was written."""

import hashlib
import io
import os
import zipfile
import zlib
from typing import Dict, List, NamedTuple, Optional

import numpy as np

from ferry.verify import npz


class Chunk(NamedTuple):
    """The reference's outputs and PyTorch's in float32: each a list of [samples, *shape], one entry an output.

    ``rows`` are the samples of the chunk that ``reference`` holds, in rising order; ``None`` means all. Where float64
    could not be run the two lists are the same.
    """

    reference: List[np.ndarray]
    float32: List[np.ndarray]
    rows: Optional[np.ndarray] = None


class Stored(NamedTuple):
    """A chunk's file, and the SHA-256 that it had when it was written."""

    path: str
    sha256: str


class Placed(NamedTuple):
    """A chunk that is where the stages can read it.

    ``altered``: a kept one was there, and was not what was kept. ``completed``: more of it is in float64 than was kept.
    """

    stored: Stored
    altered: bool
    completed: bool = False


class NoRoom(NamedTuple):
    """A chunk could not be written; ``reason`` is the system's."""

    reason: str


def name_of(start: int) -> str:
    """What the file of the chunk whose first sample is ``start`` is called."""
    return f"{start:08d}.npz"


def write(path: str, chunk: Chunk) -> Stored:
    """Put a chunk in its place, whole.

    Raises:
        OSError: it cannot be written; there is no room, for instance.
    """
    arrays: Dict[str, np.ndarray] = {f"reference_{place}": array for place, array in enumerate(chunk.reference)}
    if chunk.float32 is not chunk.reference:
        arrays.update({f"float32_{place}": array for place, array in enumerate(chunk.float32)})
    if chunk.rows is not None:
        arrays["rows"] = chunk.rows
    data = npz.to_bytes(arrays)
    _put(path, data)
    return Stored(path, hashlib.sha256(data).hexdigest())


def read(stored: Stored) -> Optional[Chunk]:
    """The chunk; ``None`` where the file is missing, cannot be read, or is not the one that was written."""
    data = _read(stored)
    return None if data is None else _parsed(data)


def take(stored: Stored, path: str) -> Optional[Chunk]:
    """``read``, and have the same file at ``path`` too.

    Raises:
        OSError: it cannot be written there.
    """
    data = _read(stored)
    chunk = None if data is None else _parsed(data)
    if data is not None and chunk is not None:
        try:
            os.link(stored.path, path)
        except OSError:  # On another file system, or another user's.
            _put(path, data)
    return chunk


def _put(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError:
        # What is half-written takes room that another chunk may need.
        if os.path.exists(path):
            os.unlink(path)
        raise


def _read(stored: Stored) -> Optional[bytes]:
    try:
        with open(stored.path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == stored.sha256 else None


def _parsed(data: bytes) -> Optional[Chunk]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            outputs = sum(name.startswith("reference_") for name in held.files)
            reference = [held[f"reference_{place}"] for place in range(outputs)]
            if "float32_0" not in held.files:
                return Chunk(reference, reference)
            rows = held["rows"] if "rows" in held.files else None
            return Chunk(reference, [held[f"float32_{place}"] for place in range(outputs)], rows)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
