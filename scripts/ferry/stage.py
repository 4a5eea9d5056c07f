"""The frame of a stage program: arguments in, one line of result out, a clear error and a log file otherwise."""

import argparse
import errno
import os
import signal
import sys
import time
import traceback
from typing import Any, Callable, Optional, TextIO, Tuple

from rich import filesize
from rich.console import Console

from ferry.errors import FerryError, OutputFileError, fault_message
from ferry.model import files_read
from ferry.printable import printable, printable_lines

INTERRUPTED = 130

Body = Callable[[argparse.Namespace, Console], int]


class FinalPaths:
    """A text stream in which the folder ``written`` is called ``shown``: what is in it will be put there.

    The runner publishes what a stage has made when the stage has ended; by then its own folder is gone.
    """

    def __init__(self, file: TextIO, written: str, shown: str):
        self._file, self._written, self._shown = file, written, shown

    def write(self, text: str) -> int:
        """Write ``text`` with the paths that it will be true of."""
        return self._file.write(text.replace(self._written, self._shown))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class SafeConsole(Console):
    """A console whose text holds no escape sequences but its own: what a model says is shown, and never obeyed."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable(each) if isinstance(each, str) else each for each in objects), **options)


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """An argument parser for the stage program ``name``, with the options that all stages take."""
    made = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--log", metavar="FILE", help="where the libraries' own output goes (VERBOSE=1: the terminal)")
    made.add_argument("--shown", metavar="FOLDER", help="the folder to name in messages for the one that is written to")
    made.add_argument("--record", metavar="FILE.json", help="where to write what has been read")
    return made


def count(variable: str) -> Callable[[str], int]:
    """The type of an option that takes a whole number of 1 or more, which the user gave to make as ``variable``."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = 0
        if number < 1:
            raise argparse.ArgumentTypeError(f"{variable} must be a whole number of 1 or more, not {text!r}")
        return number

    return parse


def add_torch(parser: argparse.ArgumentParser) -> None:
    """The options of a stage that runs the user's model."""
    parser.add_argument("--torch", default="", metavar="PYTHON", help="an interpreter whose PyTorch runs the model")
    parser.add_argument(
        "--torch-lock", default="", metavar="FILE", help="what that was installed from; empty, nobody knows"
    )


def run(name: str, arguments: argparse.Namespace, output: str, body: Body) -> int:
    """Run ``body(arguments, console)`` and return the program's exit code.

    Until ``body`` ends, whatever TensorFlow, PyTorch and their C++ parts print goes to a log file beside ``output``;
    only ``console`` reaches the terminal. ``body`` imports the heavy libraries itself, so that ``--help`` is instant
    and their warnings at import are in the log too. What it has read is noted in the file ``arguments.record``.
    """
    # A terminated stage must clean up what it was writing just as an interrupted one does.
    signal.signal(signal.SIGTERM, _terminated)
    folder = os.path.dirname(output) or "."
    paths = (folder, getattr(arguments, "shown", None) or folder)
    console, errors = _console(1, *paths), _console(2, *paths)
    log = arguments.log or os.path.join(folder, "logs", f"{name}.log")
    verbose = os.environ.get("VERBOSE", "") not in ("", "0")
    try:
        # The runner starts a stage with Ctrl-C held back: until here there was no one to answer it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        if not verbose:
            _redirect_to(log)
        code = body(arguments, console)
        if code == 0 and getattr(arguments, "record", None):
            files_read.write(arguments.record, given=vars(arguments))
        return code
    except (Exception, KeyboardInterrupt) as error:
        message, code = _explained(error)
        # Where the log cannot be written there is none to point to.
        cause: Optional[BaseException] = error.__cause__ if isinstance(error, FerryError) else error
        if isinstance(error, (OutputFileError, KeyboardInterrupt)):
            cause = None
    errors.print(f"[bold red]{name}: error:[/] ", end="")
    for line in printable_lines(message):
        errors.print(line, markup=False)
    if cause is not None:
        traceback.print_exception(type(cause), cause, cause.__traceback__)
        sys.stderr.flush()
        if not verbose:
            errors.print(f"{name}: the details are in {log}", markup=False)
    return code


def _explained(error: BaseException) -> Tuple[str, int]:
    """The message to the user about ``error``, and what the program ends with."""
    if isinstance(error, FerryError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing was left half-written", INTERRUPTED
    if isinstance(error, MemoryError):
        return "out of memory", 1
    reason = f"{type(error).__name__}: {str(error).strip() or 'no further message'}".splitlines()[0]
    if _is_of_the_environment(error):
        return f"{reason}. {sys.prefix} lacks a file: remove that folder, and the next make makes it anew", 1
    if isinstance(error, OSError):
        reason = "no room left on the disk" if error.errno == errno.ENOSPC else error.strerror or str(error)
        return f"{reason}: {error.filename}" if error.filename else reason, 1
    return fault_message(error), 1


def _is_of_the_environment(error: BaseException) -> bool:
    """Whether ``error`` says that a file of an installed package is missing."""
    if isinstance(error, ImportError):
        return not (error.name or "").startswith(("ferry", "develop"))
    missing = isinstance(error, OSError) and str(error.filename or "").startswith(sys.prefix + os.sep)
    return missing or "cannot open shared object file" in str(error)


def leave(code: int) -> None:
    """End the process at once. TensorFlow takes 0.2 s to free, one by one, what the system frees anyway."""
    for stream in (sys.stdout, sys.stderr):
        # A model file may have closed it.
        if not stream.closed:
            stream.flush()
    os._exit(code)


def result(console: Console, name: str, path: str, detail: str, started: float) -> None:
    """Print a stage's one line of result; ``started`` is ``time.monotonic()`` at its start."""
    size = filesize.decimal(os.path.getsize(path))
    console.print(f"{name}: {path} ({size}, {detail}) in {time.monotonic() - started:.1f} s", markup=False)


def _console(descriptor: int, written: str, shown: str) -> Console:
    # A message in letters that the terminal's encoding lacks must still be a message.
    file: Any = os.fdopen(os.dup(descriptor), "w", errors="backslashreplace")
    if shown != written:
        file = FinalPaths(file, written, shown)
    return SafeConsole(file=file, highlight=False, soft_wrap=True)


def _redirect_to(log: str) -> None:
    try:
        os.makedirs(os.path.dirname(log) or ".", exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    except OSError as error:
        raise OutputFileError(f"cannot write the log {log}: {error.strerror}") from error
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _terminated(_signal, _frame):
    # make and the runner may each pass the signal on; the second must not break into the clean-up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
