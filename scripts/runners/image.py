"""The images: built on first use, and again when something that they are made of changes."""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List

from runners import build_secrets, engines
from runners.engines import Engine
from runners.errors import RunnerError
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, ROOT

DOCKERFILE = "Dockerfile.cpu"
COPY = re.compile(r"^COPY (.+) \S+$", re.MULTILINE)
KEPT_OUT = ("__pycache__",)
# What the build fetches and what the image takes; a test holds the README to the truth.
DOWNLOAD, SIZE = "1.3 GB", "2.9 GB"


def ensure(engine: Engine) -> str:
    """The name of an image of this checkout as it is now, built where ``engine`` has none.

    Raises:
        RunnerError: the build failed; the message says why.
    """
    name = name_of(DOCKERFILE)
    if not _exists(engine, name):
        with one_at_a_time(ENVIRONMENTS):
            if not _exists(engine, name):
                _failed(engine.name).write_text(name)
                _build(engine, name)
                _failed(engine.name).unlink()
                _replace_the_last(engine, name)
    return name


def failed_before(client: str) -> bool:
    """Whether the last build of the image of this checkout, as it is now, failed or was interrupted."""
    try:
        return _failed(client).read_text() == name_of(DOCKERFILE)
    except OSError:
        return False


def remove(engine: str) -> None:
    """Remove the image that this checkout built last with the client ``engine``, if there is one and nothing uses it.

    Raises:
        RunnerError: the engine that has it does not answer.
    """
    with contextlib.suppress(FileNotFoundError):
        name = _last(engine).read_text()
        _call(engines.need(engine).name, ["rmi", name])
        _last(engine).unlink()


def name_of(dockerfile: str) -> str:
    """The image's name: it ends in a digest of all that goes into the image, so that a name never goes stale."""
    digest = hashlib.sha256(base().encode())
    for path in [ROOT / dockerfile, *_copied(dockerfile)]:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)}\0{len(data)}\0".encode() + data)
    return f"ferry:{dockerfile.rsplit('.', 1)[-1]}-{digest.hexdigest()[:16]}"


def base() -> str:
    """Another image to build on than the Dockerfile's own, or an empty string."""
    return os.environ.get("BASE_IMAGE", "")


def _copied(dockerfile: str) -> Iterator[Path]:
    for sources in COPY.findall((ROOT / dockerfile).read_text()):
        for source in sources.split():
            path = ROOT / source
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (file for file in inside if file.is_file() and not set(KEPT_OUT) & set(file.parts))


def _exists(engine: Engine, name: str) -> bool:
    return _call(engine.name, ["image", "inspect", "--format", "{{.Id}}", name]) == 0


def _build(engine: Engine, name: str) -> None:
    engines.need(engine.name)
    log = ENVIRONMENTS / f"image-{engine.name}.log"
    _say(
        f"building the image {name} with {engine.name}: seconds after a change of a script, otherwise up to {DOWNLOAD} "
        f"to download and {SIZE} on disk"
    )
    # Podman takes a comma in a path for the end of it, so the paths are relative.
    command = [engine.name, "build", "--file", DOCKERFILE, "--tag", name]
    if base():
        command.append(f"--build-arg=BASE={base()}")
    if engine.name == "docker":
        command.append("--progress=plain")
    verbose = os.environ.get("VERBOSE", "") not in ("", "0")
    with build_secrets.options() as given, open(str(log), "wb") as file:
        output: Any = sys.stderr if verbose else file
        built = subprocess.run(
            [*command, *given, "."],
            cwd=str(ROOT),
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if built.returncode:
        if verbose:
            raise RunnerError(f"{engine.name} could not build the image; its messages above say why")
        reason = engines.explain(log.read_text(errors="replace").splitlines())
        raise RunnerError(f"{engine.name} could not build the image: {reason} (all it said: {_shown(log)})")


def _replace_the_last(engine: Engine, name: str) -> None:
    # The layers that the two share stay; only what the change replaced is given back.
    last = _last(engine.name)
    with contextlib.suppress(FileNotFoundError):
        if last.read_text() != name:
            _call(engine.name, ["rmi", last.read_text()])
    last.write_text(name)


def _failed(client: str) -> Path:
    return ENVIRONMENTS / f"image-{client}.failed"


def _last(client: str) -> Path:
    return ENVIRONMENTS / f"image-{client}"


def _call(client: str, arguments: List[str]) -> int:
    return subprocess.run([client, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)


def _shown(path: Path) -> str:
    return os.path.relpath(str(path), str(ROOT))
