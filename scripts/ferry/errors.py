"""The errors a user can act on. Anything else that escapes a stage is a bug in Ferry."""

import contextlib
import os
import traceback
from types import FrameType
from typing import Iterator, Optional, Sequence, Type

# How the message of an error begins that no user can do anything about; the fuzzing and the coverage look for it.
FAULT = "this should not have happened, and is a fault in Ferry"
_SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


class FerryError(Exception):
    """What the user gave, what is wrong with it, and what to do, in their words.

    ``exit_code`` is what the program ends with when the error reaches its top.
    """

    exit_code = 1


class ModelFileError(FerryError):
    """The Python file that defines the model breaks its contract."""


class InputFileError(FerryError):
    """A file handed to a stage is missing, truncated, or of another kind."""


class UnsupportedModelError(FerryError):
    """The model is sound, and something in it cannot be converted."""


class FaultElsewhere(Exception):
    """An error of Ferry's own in another process, as ``fault_message`` says it there. It is no ``FerryError``."""


@contextlib.contextmanager
def foreign_errors(what: str, *packages: str, error_class: Type[FerryError] = UnsupportedModelError) -> Iterator[None]:
    """Turn what the code of ``packages`` raises inside into an ``error_class`` that begins with ``what``.

    It stands around a call that hands a library what the user gave: the library's refusal is about the user's model.
    Whose an exception is, its traceback says: of all frames that belong to Ferry or to one of ``packages``, the
    innermost raised it. What Ferry's own code raises passes as it is, and is a fault in Ferry.
    """
    try:
        yield
    except (FerryError, OSError, MemoryError):
        raise
    except Exception as error:
        frame = _innermost(error, ("ferry", *packages))
        if frame is None or _package(frame) == "ferry":
            raise
        raise error_class(f"{what}: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """What ``error`` says in one line; its type too, where what it says is a key or an attribute alone."""
    text = " ".join(str(error).split())[:300]
    if isinstance(error, (AttributeError, LookupError)):
        return f"{type(error).__name__}: {text}"
    return text or type(error).__name__


def place_of(error: BaseException) -> str:
    """The innermost line below ``scripts/`` that ``error`` came through, as ``ferry/room/module.py:line``, or empty."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(file, line) for file, line in frames if os.path.abspath(file).startswith(_SCRIPTS)]
    return f"{os.path.abspath(ours[-1][0])[len(_SCRIPTS) :]}:{ours[-1][1]}" if ours else ""


def fault_message(error: BaseException) -> str:
    """The message for an error of Ferry's own: it says that, the place in Ferry, and what Python says of it."""
    if isinstance(error, FaultElsewhere):
        return str(error)
    reason = f"{type(error).__name__}: {str(error).strip() or 'no further message'}".splitlines()[0]
    place = place_of(error)
    return f"{FAULT}{f' at {place}' if place else ''}: {reason}"


def _innermost(error: BaseException, packages: Sequence[str]) -> Optional[FrameType]:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if _package(frame) in packages]
    return frames[-1] if frames else None


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).split(".")[0]


def first_line(error: Exception) -> str:
    """The first line of what ``error`` says, or its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class OutputFileError(FerryError):
    """The target cannot be written: no permission, no room, no such folder."""


class VerificationError(FerryError):
    """The check could not be made, so that nothing was proved either way."""


class BenchError(FerryError):
    """Something that is to be measured did not run, so that there is no figure."""
