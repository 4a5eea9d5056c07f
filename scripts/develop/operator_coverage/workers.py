"""Do jobs in processes of their own, so that one that crashes or hangs takes nothing with it but itself."""

import multiprocessing
import os
import threading
from multiprocessing.pool import ThreadPool
from typing import Any, Callable, Iterator, List, NamedTuple, Sequence

from ferry.errors import fault_message

CONTEXT = multiprocessing.get_context("spawn")


class Died(NamedTuple):
    """In place of a result: how the process ended, or what was raised in it."""

    how: str


def run_all(function: Callable[[Any], Any], jobs: Sequence[Any], processes: int, timeout: float) -> Iterator[Any]:
    """Yield ``function(job)`` for each job, in order; ``Died`` where it ended its process or took ``timeout`` seconds.

    A process is kept for further jobs. ``function`` is imported in it by name. What it raises is a fault in Ferry,
    and ``Died`` says so.
    """
    workers = threading.local()
    started: List[_Worker] = []

    def one(job: Any) -> Any:
        if getattr(workers, "own", None) is None:
            workers.own = _Worker(function)
            started.append(workers.own)
        answer = workers.own.do(job, timeout)
        if isinstance(answer, Died):
            workers.own = None
        return answer

    pool = ThreadPool(processes)
    try:
        yield from pool.imap(one, jobs)
    finally:
        for worker in started:
            worker.end()
        pool.terminate()


class _Worker:
    def __init__(self, function: Callable[[Any], Any]):
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(function, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def do(self, job: Any, timeout: float) -> Any:
        try:
            self._ours.send(job)
            if self._ours.poll(timeout):
                return self._ours.recv()
            how = f"it took more than {timeout:g} seconds"
        except (EOFError, OSError):
            self._process.join()
            how = f"it ended its process with exit code {self._process.exitcode}"
        self.end()
        return Died(how)

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._ours.close()


def _serve(function: Callable[[Any], Any], theirs) -> None:
    if os.environ.get("VERBOSE", "") in ("", "0"):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    while True:
        job = theirs.recv()
        try:
            answer = function(job)
        except Exception as error:
            answer = Died(fault_message(error))
        theirs.send(answer)
