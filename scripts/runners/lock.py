"""Resolve the ``.in`` files into lock files: the whole closure, each package with its hashes."""

import subprocess
from pathlib import Path
from typing import List

from runners import uv
from runners.errors import RunnerError
from runners.paths import REQUIREMENTS, ROOT

PYTHON = ["--python-version", "3.8", "--python-platform", "x86_64-manylinux2014"]
COMMON = ["--quiet", "--generate-hashes", "--custom-compile-command", "make lock", "--no-emit-index-url"]


def write_all() -> None:
    """Write every lock file anew.

    Raises:
        RunnerError: uv found no set of versions that fits, or could not reach the index.
    """
    # uv resolves itself from its own lock: the version in uv.in takes effect at the next run.
    _compile(REQUIREMENTS / "uv.in", REQUIREMENTS / "uv.lock", [])
    overrides = ["--overrides", "requirements/overrides.txt"]
    _compile(ROOT / "requirements.in", ROOT / "requirements.lock", [*PYTHON, *overrides])
    _compile(REQUIREMENTS / "lint.in", REQUIREMENTS / "lint.lock", PYTHON)


def _compile(source: Path, target: Path, options: List[str]) -> None:
    # Relative paths, so that none of this machine's ends up in the lock's comments.
    relative = [str(path.relative_to(ROOT)) for path in (source, target)]
    command = [str(uv.ensure()), "pip", "compile", *COMMON, *options, relative[0], "--output-file", relative[1]]
    if subprocess.run(command, cwd=str(ROOT), env=uv.environment()).returncode:
        raise RunnerError(f"{relative[0]} could not be locked; uv's message above says why")
    print(f"lock: {relative[1]}")
