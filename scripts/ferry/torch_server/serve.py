"""Hold one model open in this interpreter's PyTorch, and do with it what is asked over the pipe."""

import os
import signal
import sys
import traceback
from typing import IO, Any, Dict, Tuple

from ferry import child_processes
from ferry.errors import FAULT, FerryError, ModelFileError

OLDEST = (2, 0)
# What the process must have, and what says so.
NEEDED = ("numpy", "torch")


def main() -> int:
    """Answer until the other side ends."""
    asked, answers = _pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child_processes.end_with_parent()
    try:
        opened: Any = _opened()
    except FerryError as error:
        opened = error
    return _serve(asked, answers, opened)


def _pipes() -> Tuple[IO[bytes], IO[bytes]]:
    """The pipes to the other side. What a model prints goes to the error stream, and it reads nothing."""
    pipes = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return pipes


def _opened() -> Any:
    from ferry.model import files_read

    files_read.watch()
    for name in NEEDED:
        try:
            __import__(name)
        except ImportError as error:
            raise ModelFileError(
                f"{sys.executable} cannot import {name} ({error}): `{sys.executable} -m pip install {name}` installs it"
            ) from error
    import torch

    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < OLDEST:
        raise ModelFileError(
            f"{sys.executable} has PyTorch {torch.__version__}; TORCH= takes 2.0 or newer, and Ferry brings 1.5.1"
        )
    from ferry.torch_server.opened_model import OpenedModel

    return OpenedModel()


def _serve(asked: IO[bytes], answers: IO[bytes], opened: Any) -> int:
    # NumPy may be what is missing.
    if isinstance(opened, FerryError):
        _refuse(answers, opened)
        return 1
    from ferry.torch_process import messages

    while True:
        try:
            message = messages.receive(asked)
        except EOFError:
            return 0
        try:
            said, arrays = getattr(opened, message.said["ask"])(message.arrays, **message.said["arguments"])
        except FerryError as error:
            said, arrays = _told(error, type(error).__name__, str(error), error.__cause__ is not None), []
        except MemoryError as error:
            said, arrays = _told(error, "VerificationError", "out of memory", True), []
        except OSError as error:
            said, arrays = _told(error, "VerificationError", str(error), True), []
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            said, arrays = _told(error, "VerificationError", f"{FAULT}: {reason}", True), []
        messages.send(answers, said, arrays)


def _told(error: BaseException, kind: str, message: str, with_details: bool) -> Dict[str, Any]:
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__)) if with_details else None
    return {"error": kind, "message": message, "details": details}


def _refuse(answers: IO[bytes], error: FerryError) -> None:
    """Say ``error`` in the form of ``messages``, which needs NumPy."""
    import json

    head = json.dumps({**_told(error, type(error).__name__, str(error), False), "arrays": []}).encode()
    answers.write(len(head).to_bytes(8, "little") + head)
    answers.flush()
