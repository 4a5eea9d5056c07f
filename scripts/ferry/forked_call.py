"""Call a function in a forked process, which a library may crash or keep busy for ever: this process reads what came.

A fork costs milliseconds, where a fresh interpreter would import the libraries once more.
"""

import faulthandler
import os
import pickle
import resource
import signal
from typing import Any, Callable, Optional, Tuple

from ferry.errors import FaultElsewhere, fault_message


class CallEnded(Exception):
    """The process ended before the function returned; the message says how, as in "was ended by SIGSEGV"."""


def call(function: Callable[..., Any], *arguments: Any, seconds: int) -> Any:
    """What ``function(*arguments)`` returns, which is pickled; it has ``seconds`` of processor time.

    Raises:
        CallEnded: it took longer, or ended its process.
        FaultElsewhere: it raised anything.
    """
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        _answer(writable, function, arguments, seconds)
    os.close(writable)
    interrupted = True
    try:
        with os.fdopen(readable, "rb") as pipe:
            said = pipe.read()
        interrupted = False
    finally:
        if interrupted:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        took = f"took more than {seconds} s of processor time"
        raise CallEnded(took if number == signal.SIGXCPU else f"was ended by {signal.Signals(number).name}")
    if os.WEXITSTATUS(status) or not said:
        raise CallEnded(f"ended with exit code {os.WEXITSTATUS(status)}")
    fault, value = pickle.loads(said)
    if fault:
        raise FaultElsewhere(fault)
    return value


def _answer(pipe: int, function: Callable[..., Any], arguments: Any, seconds: int) -> None:
    """In the forked process: nothing of the parent's is cleaned up here, whatever happens."""
    code = 1
    try:
        # A crash is the parent's to report, in one line.
        faulthandler.disable()
        # It ends by itself, whatever the parent does with these.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        spent = resource.getrusage(resource.RUSAGE_SELF)
        used = int(spent.ru_utime + spent.ru_stime)
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds + 1))
        answer: Tuple[Optional[str], Any]
        try:
            answer = (None, function(*arguments))
        except Exception as error:
            answer = (fault_message(error), None)
        with os.fdopen(pipe, "wb") as file:
            file.write(pickle.dumps(answer))
        code = 0
    finally:
        os._exit(code)
