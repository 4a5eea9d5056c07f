"""Under `make -j` several stages may find the environment missing: one makes it, the others wait for it."""

import contextlib
import fcntl
from pathlib import Path
from typing import Iterator


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the lock on the environments in ``folder``, which is made if there is none."""
    folder.mkdir(exist_ok=True)
    with open(str(folder / "lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
