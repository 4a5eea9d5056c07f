"""Memory that takes room only where something was written: the rest reads as zeros."""

import mmap
from typing import Any, Iterable, Tuple

import numpy as np

_PIECE = 1 << 20


def reserve(size: int) -> memoryview:
    """``size`` bytes of zeros, to be written to."""
    # Shared memory takes room where it is read, too; and a huge page would take two megabytes for one byte.
    memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        try:
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        except OSError:
            pass  # A kernel without huge pages does not know the word.
    return memoryview(memory)[:size]


def copy(data: Any, ranges: Iterable[Tuple[int, int]]) -> memoryview:
    """The bytes of ``data`` from the start to the end of each of the ``ranges``, where they were, among zeros."""
    made = reserve(len(data))
    source = memoryview(data)
    for start, end in ranges:
        made[start:end] = source[start:end]
    return made


def write(target: Any, start: int, array: np.ndarray) -> None:
    """Write ``array``, of bytes, into sparse memory that was not written to yet; what is zero takes no room."""
    for position in range(0, len(array), _PIECE):
        piece = array[position : position + _PIECE]
        if piece.any():
            target[start + position : start + position + len(piece)] = piece.tobytes()
