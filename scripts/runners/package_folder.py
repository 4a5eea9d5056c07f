"""The user's packages in the virtual environment: a folder beside it, which the model file's imports find last."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from runners import requirements_file, resolve, uv, venv
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, ROOT

FOLDER = ENVIRONMENTS / "packages"
# Raised when the way a set is made changes, so that those made the old way are made again.
RECIPE = "1"


def key(lock: Path, path: str) -> str:
    """A digest of all that decides what is installed for the requirements file ``path`` beside ``lock``'s packages."""
    parts = [RECIPE.encode(), lock.read_bytes(), uv.LOCK.read_bytes(), requirements_file.read(path).text.encode()]
    parts.append(" ".join(requirements_file.read(path).without_dependencies).encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def of(environment: venv.Environment, path: str) -> Path:
    """Where the packages of the requirements file ``path`` are, or will be, for ``environment``.

    Raises:
        RunnerError: the file cannot be read, or is no list of packages.
    """
    return FOLDER / f"{environment.name}-{key(environment.lock, path)}"


def ensure(environment: venv.Environment, path: str) -> Path:
    """The folder of the packages of the requirements file ``path``, made where there is none.

    Raises:
        RunnerError: the packages do not fit the lock, or cannot be had.
    """
    folder = of(environment, path)
    if not folder.is_dir():
        python = venv.ensure(environment)
        with one_at_a_time(ENVIRONMENTS):
            if not folder.is_dir():
                _make(environment, python, path, folder)
    return folder


def _make(environment: venv.Environment, python: Path, path: str, folder: Path) -> None:
    _say(f"installing the packages of {path} beside {_shown(environment.folder)}, once: {_shown(folder)}")
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(str(partial), ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        tools = resolve.Tools(str(uv.ensure()), uv.environment(), str(python), environment.lock)
        resolve.install(tools, path, requirements_file.read(path), partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(str(partial), ignore_errors=True)


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)


def _shown(path: Path) -> str:
    return os.path.relpath(str(path), str(ROOT))
