"""The errors a user can act on. Anything else that escapes a stage is a bug in Ferry."""

import contextlib
from typing import Iterator


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
    """The model is sound, and something in it cannot be carried over."""


@contextlib.contextmanager
def told_of(what: str) -> Iterator[None]:
    """Make whatever the libraries raise inside an ``UnsupportedModelError`` that begins with ``what``.

    A file that passes all checks can still hold what no library has foreseen, and each raises types of its own.
    """
    try:
        yield
    except (FerryError, OSError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or "no further message"
        raise UnsupportedModelError(f"{what}: {type(error).__name__}: {reason}") from error


def first_line(error: Exception) -> str:
    """The first line of what ``error`` says, or its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class OutputFileError(FerryError):
    """The target cannot be written: no permission, no room, no such folder."""


class VerificationError(FerryError):
    """The check could not be made, so that nothing was proved either way."""


class BenchError(FerryError):
    """Something that is to be measured did not run, so that there is no figure."""
