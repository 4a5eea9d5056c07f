"""Run what the user wrote, and turn whatever it raises into one sentence that names the line."""

import errno
import glob
import importlib.util
import os
import re
import socket
import sys
import traceback
from functools import partial
from types import ModuleType
from typing import Any, Callable, Optional

from ferry import child_processes
from ferry.errors import ModelFileError
from ferry.model import user_packages

# What Python says of what a module of PyTorch has not, and of annotations of 3.9 and 3.10.
OF_TORCH = re.compile(r"'torch(\.[\w.]+)?'")
OF_NEWER_PYTHON = re.compile(
    r"'type' object is not subscriptable|unsupported operand type\(s\) for \|: '(type|_GenericAlias)'"
)
# The name of scripts/ferry_user_model.py, by which a process that the model file spawns imports it from the file that
# this variable names.
MODULE, FILE_VARIABLE = "ferry_user_model", "FERRY_USER_MODEL"
NO_NETWORK = (
    "a stage has no network; make the model without its weights, and give their file as WEIGHTS= "
    "(SANDBOX=none lets RUNNER=venv download)"
)
# Whose lines no user can change: Ferry's, the locked packages' and Python's own.
_FERRY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
_LIBRARIES = tuple(folder + os.sep for folder in (_FERRY, sys.prefix, sys.base_prefix))


def import_file(path: str) -> ModuleType:
    """Import the Python file ``path``, with its folder open to its imports.

    Raises:
        ModelFileError: the file is missing, is not a Python file, or does not import.
    """
    if not os.path.isfile(path):
        folder = os.path.dirname(path) or "."
        others = sorted(os.path.basename(name) for name in glob.glob(os.path.join(glob.escape(folder), "*.py")))
        there = f"; {folder} holds {', '.join(others)}" if others else ""
        raise ModelFileError(f"there is no model file {path}{there}")
    user_packages.add()
    # The model's own folder comes last: a sibling named like a library must not shadow it.
    sys.path.append(os.path.abspath(os.path.dirname(path)))
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    os.environ[FILE_VARIABLE] = os.path.abspath(path)
    guard(path, "importing the file", partial(spec.loader.exec_module, module))
    return module


def call(path: str, source: ModuleType, function: str) -> Any:
    """Call ``function`` of the imported model file ``source``.

    Raises:
        ModelFileError: there is no such function, or it fails.
    """
    if not callable(getattr(source, function, None)):
        raise ModelFileError(
            f"{path} has no function {function}(); a model file defines get_pytorch_model() and get_example_input()"
        )
    return guard(path, f"{function}()", getattr(source, function))


def guard(path: str, doing: str, action: Callable[[], Any]) -> Any:
    """Run ``action``, wherever it changes to, and return what it does.

    It may fork. A process that it forked and that comes back here, by returning or by raising, ends here.

    Raises:
        ModelFileError: it raised something, or meant to end the process; ``doing`` says what it was.
    """
    child_processes.end_forked_with_parent()
    folder, end, stage = os.getcwd(), os._exit, os.getpid()

    def exit_with_a_word(code: int = 0) -> None:
        if os.getpid() != stage:
            end(code)
        # It would end the stage with no word, and with any exit code, 0 included.
        sys.exit(code)

    os._exit = exit_with_a_word  # type: ignore[assignment]
    try:
        return action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if os.getpid() != stage:
            _end_child(error, end)
        raised = "it called exit()" if isinstance(error, SystemExit) else _described(error)
        raise ModelFileError(f"{path}: {doing} failed{_line_in(path, error)}: {raised}") from error
    finally:
        if os.getpid() != stage:
            end(0)
        os._exit = end
        os.chdir(folder)


def _end_child(error: BaseException, end: Callable[[int], Any]) -> None:
    if isinstance(error, SystemExit):
        end(error.code if isinstance(error.code, int) else int(error.code is not None))
    traceback.print_exception(type(error), error, error.__traceback__)
    sys.stderr.flush()
    end(1)


def _described(error: BaseException) -> str:
    # The first line says it; PyTorch's C++ parts follow with a stack of their own.
    text = f"{type(error).__name__}: {error}".strip()
    newer = _of_something_newer(error)
    if newer:
        return f"{text}; {newer}"
    if isinstance(error, ModuleNotFoundError):
        return f"{text}; REQUIREMENTS=requirements.txt names the packages that a model file imports"
    if _is_of_the_network(error):
        return f"{text}; {NO_NETWORK}"
    return text.split("\nException raised from")[0].split("\nThe above operation")[0]


def _of_something_newer(error: BaseException) -> str:
    """What to do about a name that this PyTorch lacks or an annotation that this Python does not know, else nothing."""
    version = str(getattr(sys.modules.get("torch"), "__version__", "1.5.1"))
    advice = "TORCH=2 has today's" if version.startswith("1.") else "TORCH=path/to/python takes an environment with it"
    if isinstance(error, (AttributeError, ImportError)) and OF_TORCH.search(str(error)):
        return f"this is PyTorch {version}, and where the model is for a newer one, {advice}"
    if isinstance(error, TypeError) and OF_NEWER_PYTHON.search(str(error)) and version.startswith("1."):
        return f"this is Python {sys.version_info[0]}.{sys.version_info[1]}, and TORCH=2 has a newer one"
    return ""


def _is_of_the_network(error: Optional[BaseException]) -> bool:
    """Whether ``error``, or one that it was raised from or during, says that no other machine can be reached."""
    while error is not None:
        if isinstance(error, socket.gaierror) or getattr(error, "errno", None) in _UNREACHABLE:
            return True
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return False


def _line_in(path: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename == path:
        return f" at line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    at = f" at line {lines[-1]}" if lines else ""
    # What a package or a module beside the model file raised.
    others = [frame for frame in frames if os.path.isfile(frame.filename) and not _is_library(frame.filename)]
    if others and others[-1].filename != path:
        return f"{at} in {_shown(others[-1].filename)}:{others[-1].lineno}"
    return at


def _is_library(file: str) -> bool:
    return os.path.abspath(file).startswith(_LIBRARIES)


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith(os.pardir) else relative
