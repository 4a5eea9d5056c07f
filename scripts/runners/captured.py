"""Run a stage as a recipe does, and keep what it says: where many models are converted, one line stands for each."""

import os
import sys
import tempfile
from typing import Callable, List, Tuple

from runners.errors import RunnerError
from runners.stages import Job, Stage

INTERRUPTED = 130


def run(stage: Stage, job: Job, start: Callable[..., int], *arguments: object) -> Tuple[int, str]:
    """Call ``start(stage, job, *arguments, output=FILE)``; return its exit code and all that went to the file.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    with tempfile.TemporaryFile() as output:
        try:
            code = start(stage, job, *arguments, output=output)
        except RunnerError as error:
            code = 1
            output.write(f"ferry: error: {error}\n".encode())
        output.seek(0)
        said = output.read().decode(errors="replace")
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if os.environ.get("VERBOSE", "") not in ("", "0"):
        sys.stderr.write(said)
    return code, said


def trouble(stage: Stage, code: int, said: str) -> str:
    """The line of ``said`` that says why ``stage`` ended with ``code``."""
    lines: List[str] = [line for line in said.splitlines() if line.strip()]
    marked = [line for line in lines if "error: " in line or "FAILED" in line]
    return (marked or lines or [f"{stage.name} ended with {code}"])[-1]
