"""Which runner to use: what the user said, or what this machine has."""

from typing import Tuple

from runners import engines
from runners.errors import RunnerError

RUNNERS = ("docker", "podman", "venv")
# The container runners need images; there are none to run in yet.
BUILT = ("venv",)


def choose(wanted: str) -> Tuple[str, str]:
    """The runner's name and why it is the one. ``wanted`` is the user's ``RUNNER``, or empty to find out.

    Unset, it is Docker where an engine answers, else Podman, else a virtual environment.

    Raises:
        RunnerError: ``wanted`` is none of Ferry's runners.
    """
    if wanted:
        must_be_built(wanted)
        return wanted, "as RUNNER says"
    for engine in ("docker", "podman"):
        answer = engines.version(engine)
        if answer:
            if engine in BUILT:
                return engine, f"{engine} {answer} answers"
            return "venv", f"{engine} {answer} answers, but there are no images to run in yet"
    return "venv", "no Docker engine answers, and there is no Podman"


def must_be_built(runner: str) -> None:
    """Raise RunnerError unless ``runner`` names a runner that works."""
    if runner not in RUNNERS:
        raise RunnerError(f"there is no RUNNER {runner!r}; it is one of {', '.join(RUNNERS)}")
    if runner not in BUILT:
        raise RunnerError(f"RUNNER={runner} has no image to run in yet; use RUNNER=venv")
