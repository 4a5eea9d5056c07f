"""Which runner to use: what the user said, or what this machine has."""

import os
from typing import List, Tuple

from runners import engines
from runners.errors import RunnerError

RUNNERS = ("docker", "podman", "venv")
# Inside the images the environment is the interpreter's own: there is nothing to choose and nothing to make.
INSIDE = "image"


def choose(wanted: str, torch: str = "") -> Tuple[str, str]:
    """The runner's name and why it is the one. ``wanted`` is the user's ``RUNNER``, or empty to find out.

    Unset, it is a virtual environment where ``torch``, the user's ``TORCH``, is not the pinned one. Otherwise it is
    Docker where an engine answers, else Podman, else a virtual environment.

    Raises:
        RunnerError: ``wanted`` is none of Ferry's runners.
    """
    if wanted:
        must_exist(wanted)
        return wanted, "as RUNNER says"
    if torch not in ("", "1.5"):
        return "venv", f"TORCH={torch} has no image"
    troubles: List[str] = []
    for name in ("docker", "podman"):
        answer = engines.ask(name)
        if isinstance(answer, engines.Engine):
            return name, "; ".join([f"{name} {answer.version} answers", *troubles])
        if answer.trouble is not None:
            troubles.append(f"{name} is there, but fails: {answer.trouble}")
    return "venv", "; ".join(troubles) or "no Docker engine answers, and there is no Podman"


def must_exist(runner: str) -> None:
    """Raise RunnerError unless ``runner`` is one that works here."""
    if runner == INSIDE and "FERRY_IMAGE" in os.environ:
        return
    if runner not in RUNNERS:
        raise RunnerError(f"there is no RUNNER {runner!r}; it is one of {', '.join(RUNNERS)}")
