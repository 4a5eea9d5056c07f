"""Run a command as somebody at a terminal does."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Optional, Tuple

COLUMNS = 100


def in_a_terminal(command, cwd: Path, typed: str = "", env: Optional[dict] = None, timeout=900) -> Tuple[int, str]:
    """The exit code of ``command``, and what the terminal showed; ``typed`` is typed in at once."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    variables = {**os.environ, "TERM": "xterm", **(env or {})}
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        variables.pop(name, None)
    words = [str(word) for word in command]
    # setsid --ctty makes the terminal the one that Ctrl-C and job control are about.
    process = subprocess.Popen(
        ["setsid", "--ctty", *words], cwd=str(cwd), env=variables, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown, deadline = b"", time.time() + timeout
    try:
        while time.time() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    read = os.read(ours, 65536)
                except OSError:  # Linux's way to say that the last program at the terminal is gone.
                    read = b""
                if not read:
                    break
                shown += read
        return process.wait(timeout=30), shown.decode(errors="replace")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(ours)
