"""The virtual environments: made from a lock on first use, reused while the lock stays as it was."""

import contextlib
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Optional

from runners import interpreter, torch_build, uv
from runners.errors import RunnerError
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, REQUIREMENTS, ROOT

# Raised when the way an environment is made changes, so that those made the old way are made again.
RECIPE = "1"
# In an environment that was made from its larger lock: a file of this name.
SOURCE = "ferry-larger"


class Environment(NamedTuple):
    """An environment's name, its lock, and what making it costs in megabytes. A test holds the figures to the truth.

    ``larger`` is what it is made from where the index lacks the builds that its own lock names.
    """

    name: str
    lock: Path
    download_mb: int
    disk_mb: int
    python_version: str = "3.8"
    larger: Optional["Environment"] = None

    @property
    def folder(self) -> Path:
        """Where it stands."""
        return ENVIRONMENTS / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def marker(self) -> Path:
        """The file that makes it count as ready; it holds ``key()`` of the lock it was made from."""
        return self.folder / "ferry-lock"

    def key(self) -> str:
        """What the environment depends on, as one digest."""
        locks = [self.lock] + ([self.larger.lock] if self.larger else [])
        return hashlib.sha256(RECIPE.encode() + b"".join(lock.read_bytes() for lock in locks)).hexdigest()

    def filled_from(self) -> Path:
        """The lock that it was made from."""
        larger = self.larger is not None and (self.folder / SOURCE).is_file()
        return self.larger.lock if self.larger is not None and larger else self.lock

    def is_ready(self) -> bool:
        """Whether it was made whole, from the lock as it is now, and its interpreter is still there."""
        try:
            return self.marker.read_text() == self.key() and os.access(str(self.python), os.X_OK)
        except OSError:
            return False


TF24 = Environment("tf2.4", ROOT / "requirements.lock", download_mb=1010, disk_mb=2230)
TF22 = Environment("tf2.2", REQUIREMENTS / "tf2.2.lock", download_mb=1030, disk_mb=2260)
BY_TENSORFLOW = {"2.4": TF24, "2.2": TF22}
LINT = Environment("lint", REQUIREMENTS / "lint.lock", download_mb=25, disk_mb=100)
BENCH = Environment("bench", REQUIREMENTS / "bench.lock", download_mb=65, disk_mb=240, python_version="3.11")
MICRO = Environment("micro", REQUIREMENTS / "micro.lock", download_mb=25, disk_mb=110, python_version="3.11")
# Today's PyTorch: its build for the CPU, or the one that the package index has, which brings CUDA's libraries.
TORCH2 = Environment(
    "torch2",
    REQUIREMENTS / "torch2.lock",
    download_mb=240,
    disk_mb=1050,
    python_version="3.11",
    larger=Environment("torch2", REQUIREMENTS / "torch2-cuda.lock", download_mb=4000, disk_mb=9000),
)


def ensure(environment: Environment) -> Path:
    """The environment's interpreter, after making the environment where there is none for its lock.

    Raises:
        RunnerError: the machine cannot run the pinned packages, or something the install needs is missing.
    """
    if environment.is_ready():
        return environment.python
    _check_machine()
    with one_at_a_time(ENVIRONMENTS):
        if not environment.is_ready():
            _make(environment)
    return environment.python


def _make(environment: Environment) -> None:
    partial = ENVIRONMENTS / f"{environment.name}.partial"
    program, variables = uv.ensure(), uv.environment()
    version, source = environment.python_version, environment
    if environment.larger is not None:
        for_cpu = torch_build.variables_for_cpu(program, version, environment.lock, variables)
        source, variables = (environment, for_cpu) if for_cpu else (environment.larger, variables)
    _check_room(source)
    _say(
        f"making the environment {_shown(environment.folder)} from {_shown(source.lock)}, once: up to "
        f"{_size(source.download_mb)} to download, {_size(source.disk_mb)} on disk"
    )
    python = interpreter.find(version, program, variables)
    shutil.rmtree(str(partial), ignore_errors=True)
    quiet = ["--quiet"]
    _step([program, "venv", *quiet, "--relocatable", "--python", python, partial], variables, "uv venv")
    # A few packages have no wheel; what builds them is pinned by the same lock, hashes included.
    pinned = ["--require-hashes", "--build-constraints", source.lock, "--compile-bytecode"]
    _step(
        [program, "pip", "sync", "--python", partial / "bin" / "python", *pinned, source.lock],
        variables,
        "the install",
    )
    if source is not environment:
        (partial / SOURCE).touch()
    (partial / environment.marker.name).write_text(environment.key())
    # The old environment gives way only now that the new one is whole.
    shutil.rmtree(str(environment.folder), ignore_errors=True)
    partial.rename(environment.folder)
    _say(f"the environment is ready ({python})")


def _step(command: list, variables: dict, what: str) -> None:
    code = subprocess.run([str(part) for part in command], env=variables, stdout=sys.stderr).returncode
    if code:
        raise RunnerError(f"{what} failed; the message above says why. Nothing that was there before has changed")


def _check_machine() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise RunnerError(
            f"the pinned packages exist for x86-64 Linux only, and this is {platform.machine()} {platform.system()}; "
            "use a container there"
        )
    with contextlib.suppress(OSError):
        if " avx " not in Path("/proc/cpuinfo").read_text():
            raise RunnerError("TensorFlow's wheels need a processor with AVX, and this one has none")


def _check_room(environment: Environment) -> None:
    free = shutil.disk_usage(str(ENVIRONMENTS)).free // 10**6
    if free < environment.disk_mb:
        raise RunnerError(
            f"the environment needs {_size(environment.disk_mb)} on the disk of {ENVIRONMENTS}, which has "
            f"{_size(free)} free"
        )


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)


def _shown(path: Path) -> str:
    return os.path.relpath(str(path), str(ROOT))


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
