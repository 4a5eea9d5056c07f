"""Resolve the ``.in`` files into lock files: the whole closure, each package with its hashes."""

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

from runners import torch_build, uv, venv
from runners.errors import RunnerError
from runners.paths import REQUIREMENTS, ROOT

PYTHON = ["--python-version", "3.8", "--python-platform", "x86_64-manylinux2014"]
NEWER = ["--python-version", venv.BENCH.python_version, "--python-platform", "x86_64-manylinux_2_28"]
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
    overrides += ["--overrides", "requirements/tf2.2.txt"]
    _compile(ROOT / "requirements.in", REQUIREMENTS / "tf2.2.lock", [*PYTHON, *overrides], ROOT / "requirements.lock")
    # Its packages' own demands are those of the lock that it is installed after.
    locked = ["--no-deps", *PYTHON]
    _compile(REQUIREMENTS / "cuda.in", REQUIREMENTS / "cuda.lock", locked)
    _compile(REQUIREMENTS / "photographs.in", REQUIREMENTS / "photographs.lock", [*locked, "--only-binary", ":all:"])
    _compile(REQUIREMENTS / "lint.in", REQUIREMENTS / "lint.lock", PYTHON)
    _compile(REQUIREMENTS / "bench.in", REQUIREMENTS / "bench.lock", NEWER)
    _compile(REQUIREMENTS / "micro.in", REQUIREMENTS / "micro.lock", NEWER)
    _write_torch()


def _write_torch() -> None:
    """Lock both builds of today's PyTorch, each with all that it needs: the one for the CPU, and the index's own."""
    of_the_user = uv.environment()
    elsewhere = {torch_build.BACKEND, "UV_FIND_LINKS"}
    plain = {name: value for name, value in of_the_user.items() if name not in elsewhere}
    source = REQUIREMENTS / "torch2.in"
    _compile(source, REQUIREMENTS / "torch2-cuda.lock", NEWER, variables=plain)
    for_cpu = of_the_user if "UV_FIND_LINKS" in of_the_user else {**plain, torch_build.BACKEND: "cpu"}
    _compile(source, REQUIREMENTS / "torch2.lock", NEWER, variables=for_cpu)


def _compile(
    source: Path,
    target: Path,
    options: List[str],
    like: Optional[Path] = None,
    variables: Optional[Dict[str, str]] = None,
) -> None:
    """Resolve ``source`` into ``target``; what ``target``, or else ``like``, holds already is kept where it fits."""
    partial = target.with_name(target.name + ".partial")
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(str(like or target), str(partial))
    # Relative paths, so that none of this machine's ends up in the lock's comments.
    relative = [str(path.relative_to(ROOT)) for path in (source, partial)]
    command = [str(uv.ensure()), "pip", "compile", *COMMON, *options, relative[0], "--output-file", relative[1]]
    if subprocess.run(command, cwd=str(ROOT), env=variables or uv.environment()).returncode:
        partial.unlink()
        raise RunnerError(f"{relative[0]} could not be locked; uv's message above says why")
    partial.rename(target)
    print(f"lock: {target.relative_to(ROOT)}")
