"""Processes that each keep one model open in one runtime, and do with it what they are asked.

A process of its own for each: they run side by side on one thread each, none can spoil another's memory, and one that
crashes is one stage's failure.
"""

import multiprocessing
import os
import signal
import traceback
from multiprocessing import connection
from typing import Any, Callable, List, Optional, Tuple

from ferry import child_processes, errors
from ferry.errors import FaultElsewhere, FerryError, VerificationError, fault_message

# A fork of a process that holds a runtime's threads is not safe.
_CONTEXT = multiprocessing.get_context("spawn")


# In a worker, its end of the pipe.
_channel: Optional[connection.Connection] = None
_STEP, _FAULT = "", "fault"


class WorkerTraceback(Exception):
    """What went wrong in a worker, as it printed it there."""


class WorkerEnded(VerificationError):
    """The worker's process ended: ``how``, such as by which signal, and the last ``step`` that it had reported."""

    def __init__(self, how: str, step: str):
        super().__init__(f"its process {how}")
        self.how, self.step = how, step


def report_step(text: str) -> None:
    """Say, in a worker, what it is about to do, in case that it ends there. Elsewhere it does nothing."""
    if _channel is not None:
        try:
            _channel.send((_STEP, text, None))
        except OSError:
            # The program that asked has ended.
            os._exit(0)


class Worker:
    """A process that has opened ``opener(*arguments)`` and calls the methods of what that returned.

    ``busy`` says whether an answer is owed.
    """

    def __init__(self, name: str, opener: Callable[..., Any], *arguments: Any):
        self.name, self.busy = name, True
        self._step = ""
        self.connection, theirs = _CONTEXT.Pipe()
        # It is daemonic to this process: it is ended where the program ends otherwise than by way of close().
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, opener, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, method: str, *arguments: Any) -> None:
        """Have a method called; ``answer()`` returns what it returned."""
        self.busy = True
        try:
            self.connection.send((method, arguments))
        except OSError:
            pass  # The process has ended; answer() says so.

    def answer(self) -> Any:
        """Wait for what is owed: at first the opened thing's ``hello()``.

        Raises:
            FerryError: what the worker raised.
            WorkerEnded: its process ended.
            FaultElsewhere: the worker raised anything else, which is a fault in Ferry.
        """
        try:
            kind, value, details = self.connection.recv()
            while kind == _STEP:
                self._step = value
                kind, value, details = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerEnded(self._ended(), self._step) from None
        finally:
            self.busy = False
        if kind is None:
            return value
        cause = WorkerTraceback(details) if details else None
        if kind == _FAULT:
            raise FaultElsewhere(value) from cause
        raise getattr(errors, kind, VerificationError)(value) from cause

    def call(self, method: str, *arguments: Any) -> Any:
        """``ask`` and wait."""
        self.ask(method, *arguments)
        return self.answer()

    def close(self) -> None:
        """End the process. There is nothing in it that needs an end of its own."""
        self.connection.close()
        self._process.kill()
        self._process.join()

    def _ended(self) -> str:
        self._process.join(10)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def wait(workers: List[Worker]) -> List[Worker]:
    """Those of the busy ``workers`` that have an answer, once there is one."""
    ready = connection.wait([worker.connection for worker in workers])
    return [worker for worker in workers if worker.connection in ready]


def _serve(channel: connection.Connection, opener: Callable[..., Any], arguments: tuple) -> None:
    global _channel  # noqa: PLW0603  It is this process's for as long as it lives.
    _channel = channel
    # A model file may start processes, which a daemonic process may not, and starts them in the system's own way.
    multiprocessing.current_process().daemon = False
    multiprocessing.set_start_method(None, force=True)
    child_processes.end_forked_with_parent()
    # A terminal's Ctrl-C comes to all; the one that asked cleans up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    opened: List[Any] = []
    method: Optional[str] = None
    while True:
        try:
            if method is None:
                opened.append(opener(*arguments))
                answer = opened[0].hello()
            else:
                answer = getattr(opened[0], method)(*arguments)
            message: Tuple[Optional[str], Any, Optional[str]] = (None, answer, None)
        except FerryError as error:
            message = (type(error).__name__, str(error), traceback.format_exc() if error.__cause__ else None)
        except MemoryError:
            message = ("VerificationError", "out of memory", traceback.format_exc())
        except OSError as error:
            message = ("VerificationError", str(error), traceback.format_exc())
        except Exception as error:
            message = (_FAULT, fault_message(error), traceback.format_exc())
        try:
            channel.send(message)
            method, arguments = channel.recv()
        except (EOFError, OSError):
            # The program that asked has ended.
            os._exit(0)
