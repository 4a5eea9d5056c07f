"""What the user's code may start of its own: a model file may fork, as ``DataLoader(num_workers=2)`` does."""

import ctypes
import functools
import os
import signal

_PR_SET_PDEATHSIG = 1


@functools.lru_cache(maxsize=None)
def end_forked_with_parent() -> None:
    """Have the kernel end each process that this one forks when this one ends, however it does.

    A stage and a worker of the verification end without Python's own clean-up, and a pool's processes would wait for
    work for ever. A forked process ends at SIGTERM, which is how a pool ends its own; a stage's own handler cleans up.
    """
    # Loaded here: a forked process should do as little as it can.
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def in_child() -> None:
        nonlocal parent
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        parent = os.getpid()

    os.register_at_fork(after_in_child=in_child)


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends, however it does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
