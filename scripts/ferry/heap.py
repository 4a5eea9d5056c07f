"""The C library's heap, which keeps freed blocks of up to 32 MB for itself, once one of that size was freed."""

import ctypes

# The number of the option in glibc's <malloc.h>.
_MMAP_THRESHOLD = -3
SMALLEST_BYTES = 1 << 20


def return_large_blocks() -> None:
    """Have each block of ``SMALLEST_BYTES`` or more go back to the system when it is freed. Only glibc can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, SMALLEST_BYTES)
