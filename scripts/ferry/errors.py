"""The errors a user can act on. Anything else that escapes a stage is a bug in Ferry."""


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


class OutputFileError(FerryError):
    """The target cannot be written: no permission, no room, no such folder."""


class VerificationError(FerryError):
    """The check could not be made, so that nothing was proved either way."""


class BenchError(FerryError):
    """Something that is to be measured did not run, so that there is no figure."""
