#!/usr/bin/env python3
"""Run the tests in several processes, one a processor: ``side_by_side.py ARGUMENTS``, as pytest takes them.

Each process collects all tests and runs the modules that no other has taken; so the fixtures of a module are made once.
What the first prints is seen as it comes, what the others print when they have ended. The exit code is the worst.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any, Iterator, List, Optional

# A process holds PyTorch and TensorFlow: about a gigabyte.
MOST = 4
CLAIMS = "FERRY_TESTS_CLAIMS"
NO_TESTS = 5


def main(arguments: List[str]) -> int:
    """Run them all; the exit code."""
    count = min(MOST, len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="ferry-tests-") as folder, contextlib.ExitStack() as files:
        environment = {**os.environ, CLAIMS: folder}
        # Their caches would overwrite each other's; without a percentage, since nobody knows how many are whose.
        command = [sys.executable, "-s", "-m", "pytest", "-p", "no:cacheprovider", "-o", "console_output_style=classic"]
        paths = [os.path.join(folder, f"output-{part}") for part in range(1, count)]
        outputs = [None, *(files.enter_context(open(path, "w+")) for path in paths)]
        parts = [subprocess.Popen([*command, *arguments], env=environment, stdout=output) for output in outputs]

        def end(_signal: int, _frame: Any) -> None:
            for part in parts:
                part.terminate()

        signal.signal(signal.SIGTERM, end)
        # The terminal sends a Ctrl-C to all of them, and each cleans up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        codes = [part.wait() for part in parts]
        for output in filter(None, outputs):
            output.seek(0)
            sys.stdout.write(output.read())
    ran = [code for code in codes if code != NO_TESTS]
    return max(map(abs, ran)) if ran else NO_TESTS


def run_unclaimed(session: Any, folder: str) -> None:
    """Run the modules of ``session`` that no other process has claimed in ``folder``, the longest first."""
    modules = [list(items) for _, items in groupby(session.items, key=lambda item: item.path)]
    modules.sort(key=_weight)
    waiting = iter(modules)
    module = _next_claimed(waiting, folder)
    while module:
        following: Optional[List[Any]] = None
        for position, item in enumerate(module):
            last = position == len(module) - 1
            # pytest keeps what the next test needs too, so that is claimed before this module's last test.
            following = _next_claimed(waiting, folder) if last else None
            upcoming = (following[0] if following else None) if last else module[position + 1]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=upcoming)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        module = following


def _weight(module: List[Any]) -> Any:
    # Those beside this file start Ferry's programs, and take longest; a long file has many tests.
    path = Path(module[0].path)
    return path.parent != Path(__file__).resolve().parent, -path.stat().st_size


def _next_claimed(waiting: Iterator[List[Any]], folder: str) -> Optional[List[Any]]:
    for module in waiting:
        claim = str(module[0].path).replace(os.sep, "+")
        try:
            os.close(os.open(os.path.join(folder, claim), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return module
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
