"""Run a program from its start to its end, and let the system say what it took."""

import os
import subprocess
import time
from typing import List, NamedTuple

from ferry.errors import BenchError


class Finished(NamedTuple):
    """A process that has ended: wall-clock and processor time in seconds, and the most memory it held, in bytes."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run(command: List[str], log: str) -> Finished:
    """Run ``command`` with all its output in the file ``log``.

    The system charges a child what its parent held when it was started: call this from a process that is small.

    Raises:
        BenchError: it ended with another exit code than 0; the message is the program's own where it left one.
    """
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "wb") as file:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        try:
            # wait4 gives this one child's figures; those of getrusage are the sum and the maximum of all children.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - started
    process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    if process.returncode:
        raise BenchError(_reason(log) or f"a process ended with exit code {process.returncode}; {log} holds its output")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _reason(log: str) -> str:
    with open(log, encoding="utf-8", errors="replace") as file:
        return next((line.strip() for line in file if ": error: " in line), "")
