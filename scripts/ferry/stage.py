"""The frame of a stage program: arguments in, one line of result out, a clear error and a log file otherwise."""

import argparse
import errno
import os
import signal
import sys
import time
import traceback
from typing import Any, Callable

from rich import filesize
from rich.console import Console

from ferry.errors import FerryError, OutputFileError, place_of
from ferry.printable import printable, printable_lines

INTERRUPTED = 130
# How the message of an error begins that no user can do anything about; the fuzzing and the coverage look for it.
FAULT = "this should not have happened, and is a fault in Ferry"

Body = Callable[[argparse.Namespace, Console], int]


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


def run(name: str, arguments: argparse.Namespace, output: str, body: Body) -> int:
    """Run ``body(arguments, console)`` and return the program's exit code.

    Until ``body`` ends, whatever TensorFlow, PyTorch and their C++ parts print goes to a log file beside ``output``;
    only ``console`` reaches the terminal. ``body`` imports the heavy libraries itself, so that ``--help`` is instant
    and their warnings at import are in the log too.
    """
    # A terminated stage must clean up what it was writing just as an interrupted one does.
    signal.signal(signal.SIGTERM, _terminated)
    console, errors = _console(1), _console(2)
    log = arguments.log or os.path.join(os.path.dirname(output) or ".", "logs", f"{name}.log")
    verbose = os.environ.get("VERBOSE", "") not in ("", "0")
    try:
        # The runner starts a stage with Ctrl-C held back: until here there was no one to answer it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        if not verbose:
            _redirect_to(log)
        return body(arguments, console)
    except OutputFileError as error:
        # The log may be what cannot be written.
        message, code, cause = str(error), error.exit_code, None
    except FerryError as error:
        message, code, cause = str(error), error.exit_code, error.__cause__
    except KeyboardInterrupt:
        message, code, cause = "interrupted; nothing was left half-written", INTERRUPTED, None
    except MemoryError as error:
        message, code, cause = "out of memory", 1, error
    except OSError as error:
        reason = "no room left on the disk" if error.errno == errno.ENOSPC else error.strerror or str(error)
        message, code, cause = f"{reason}: {error.filename}" if error.filename else reason, 1, error
    except Exception as error:
        message, code, cause = fault_message(error), 1, error
    errors.print(f"[bold red]{name}: error:[/] ", end="")
    for line in printable_lines(message):
        errors.print(line, markup=False)
    if cause is not None:
        traceback.print_exception(type(cause), cause, cause.__traceback__)
        sys.stderr.flush()
        if not verbose:
            errors.print(f"{name}: the details are in {log}", markup=False)
    return code


def fault_message(error: Exception) -> str:
    """What a user is told of an error that is Ferry's own: that it is, where in Ferry, and what Python says of it."""
    reason = f"{type(error).__name__}: {str(error).strip() or 'no further message'}".splitlines()[0]
    place = place_of(error)
    return f"{FAULT}{f' at {place}' if place else ''}: {reason}"


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


def _console(descriptor: int) -> Console:
    # A message in letters that the terminal's encoding lacks must still be a message.
    file = os.fdopen(os.dup(descriptor), "w", errors="backslashreplace")
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
