"""Is there a container engine that answers, and if not, is there none or is it in trouble?"""

import json
import os
import shutil
import subprocess
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from runners.errors import RunnerError

SECONDS_TO_ANSWER = 5
QUESTIONS = {name: [name, "info", "--format={{json .}}"] for name in ("docker", "podman")}
NOT_THERE = {
    "docker": "there is no Docker engine: no `docker` on PATH, or none running (`sudo systemctl start docker`)",
    "podman": "there is no Podman: no `podman` on PATH",
}
# What a client says where no engine listens. Podman's stand-in for docker is Podman, and is found under its own name.
NO_ENGINE = ("cannot connect to the docker daemon", "is the docker daemon running", "emulate docker cli using podman")


class Engine(NamedTuple):
    """An engine that answered."""

    name: str
    version: str
    rootless: bool


class Silence(NamedTuple):
    """An engine that did not: ``trouble`` says what it is in, and is None where there is no engine at all."""

    name: str
    trouble: Optional[str]


def ask(name: str) -> Union[Engine, Silence]:
    """The ``Engine`` that answers to the client ``docker`` or ``podman``, or the ``Silence`` met instead."""
    if not shutil.which(name):
        return Silence(name, None)
    try:
        said, complaint = _asked(name)
    except OSError as error:
        return Silence(name, f"`{name}` does not start: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Silence(name, f"it has not answered within {SECONDS_TO_ANSWER} s")
    version = said.get("ServerVersion") or said.get("version", {}).get("Version")
    if version:
        rootless = "name=rootless" in (said.get("SecurityOptions") or [])
        return Engine(name, version, rootless or said.get("host", {}).get("security", {}).get("rootless", False))
    if not complaint or any(phrase in complaint.lower() for phrase in NO_ENGINE):
        return Silence(name, None)
    return Silence(name, explain(complaint.splitlines()))


def info(name: str) -> Dict[str, Any]:
    """All that the engine says of itself, as its API has it; empty where it does not answer."""
    try:
        return _asked(name)[0]
    except (OSError, subprocess.TimeoutExpired):
        return {}


def _asked(name: str) -> Tuple[Dict[str, Any], str]:
    """What the engine says of itself, as its API has it, and what the client complains of.

    The client is asked, because it alone knows the contexts that its user has set: Docker's library for Python would
    describe the engine of ``DOCKER_HOST``, and stages would run in another.
    """
    asked = subprocess.run(QUESTIONS[name], capture_output=True, timeout=SECONDS_TO_ANSWER)
    complaint = asked.stderr.decode(errors="replace").strip()
    try:
        said = json.loads(asked.stdout.decode(errors="replace"))
    except ValueError:
        return {}, complaint
    # Where no engine answers, Docker's client speaks of itself alone, and of why. Some of its versions end with 0 so.
    return said, "\n".join([complaint, *(said.get("ServerErrors") or [])]).strip()


def need(name: str) -> Engine:
    """The engine ``name``.

    Raises:
        RunnerError: there is none, or there is one and it is in trouble; the message says which.
    """
    answer = ask(name)
    if isinstance(answer, Engine):
        return answer
    if answer.trouble is None:
        raise RunnerError(f"{NOT_THERE[name]}; RUNNER=venv needs none")
    raise RunnerError(f"{name} is there, but fails: {answer.trouble}")


def at_hand(name: str) -> Engine:
    """The engine ``name`` for running a stage: as ``need``, but Podman, which takes 0.3 s to answer, is not asked.

    Raises:
        RunnerError: as for ``need``; a Podman in trouble is found out when it is used.
    """
    if name == "podman" and shutil.which(name):
        return Engine(name, "", rootless=os.getuid() != 0)
    return need(name)


def explain(complaint: List[str]) -> str:
    """The line of an engine's complaint that matters, with what to do about it where that is known."""
    text = "\n".join(complaint).lower()
    if "permission denied" in text and "docker" in text and "sock" in text:
        user = os.environ.get("USER", "you")
        return (
            "its socket refuses this user (permission denied). Add the user to its group with "
            f"`sudo usermod -aG docker {user}`, and log in again"
        )
    if "no space left on device" in text:
        return "no space left on its disk. `docker system df` or `podman system df` shows what takes the room"
    if "buildx component is missing" in text:
        return "its client cannot build with BuildKit; the package docker-buildx-plugin, or docker-buildx, adds that"
    lines = [line.strip() for line in complaint if line.strip()]
    marked = [line for line in lines if "error" in line.lower()]
    return (marked or lines or ["it gave no reason"])[-1]
