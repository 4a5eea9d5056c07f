"""The process that holds a model open in another PyTorch than the pinned one, seen from the pinned interpreter."""

import contextlib
import os
import signal
import subprocess
from typing import Any, List, Sequence

import numpy as np

from ferry import errors
from ferry.errors import FerryError, ModelFileError, VerificationError
from ferry.torch_process import messages
from ferry.torch_process.messages import Message

PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "torch_server.py")


class OtherTraceback(Exception):
    """What went wrong in the other interpreter, as it printed it there."""


class TorchProcess:
    """A context in which the interpreter ``python`` answers. What it prints goes where this process's errors go.

    Raises:
        ModelFileError: there is no such interpreter.
    """

    def __init__(self, python: str):
        self.python = python
        command = [python, "-s", PROGRAM]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise ModelFileError(f"cannot run the Python of TORCH={python}: {error.strerror}") from error

    def __enter__(self) -> "TorchProcess":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def ask(self, what: str, arrays: Sequence[np.ndarray] = (), **arguments: Any) -> Message:
        """Ask for ``what``, and wait for the answer.

        Raises:
            FerryError: what the other side raised.
            VerificationError: it has ended, or answers nothing that can be read.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            messages.send(self._process.stdin, {"ask": what, "arguments": arguments}, arrays)
        try:
            answer = messages.receive(self._process.stdout)
        except EOFError:
            raise VerificationError(f"the process of {self.python} {self._ended()}") from None
        except messages.Garbled as error:
            self.close()
            raise VerificationError(f"the process of {self.python} says what cannot be read: {error}") from error
        kind = answer.said.get("error")
        if kind is None:
            return answer
        details = answer.said.get("details")
        raise _error_class(kind)(answer.said["message"]) from (OtherTraceback(details) if details else None)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        code = self._process.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _error_class(kind: str) -> Any:
    found = getattr(errors, kind, None)
    return found if isinstance(found, type) and issubclass(found, FerryError) else VerificationError


def lines_of(message: Message, key: str) -> List[str]:
    """The texts that ``message`` has under ``key``."""
    return [str(line) for line in message.said.get(key, [])]
