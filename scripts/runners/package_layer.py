"""The user's packages in a container: a layer on top of Ferry's image, built from ``Dockerfile.packages``."""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

from runners import build_secrets, engines, image, package_folder
from runners.engines import Engine
from runners.errors import RunnerError
from runners.image import Image
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, ROOT

DOCKERFILE = ROOT / "Dockerfile.packages"
# What the runner inside has said, as an engine shows a build's output.
SAID = re.compile(r"ferry: error: (.+)")


def ensure(engine: Engine, below: Image, path: str) -> str:
    """The name of the image with the packages of the requirements file ``path``, built where ``engine`` has none.

    Raises:
        RunnerError: an image could not be built, or the packages do not fit the lock or cannot be had.
    """
    base = image.ensure(engine, below)
    lock = ROOT / below.lock
    digest = hashlib.sha256(f"{base} {package_folder.key(lock, path)}".encode() + DOCKERFILE.read_bytes())
    name = f"ferry:{below.kind}-packages-{digest.hexdigest()[:16]}"
    if not image.exists(engine, name):
        with one_at_a_time(ENVIRONMENTS):
            if not image.exists(engine, name):
                _build(engine, below, base, path, name)
                with open(str(_built(engine.name)), "a") as file:
                    file.write(f"{name}\n")
    return name


def remove(client: str) -> None:
    """Remove the images with packages that this checkout has built with ``client``, those that nothing uses.

    Raises:
        RunnerError: the engine does not answer.
    """
    with contextlib.suppress(FileNotFoundError):
        for name in dict.fromkeys(_built(client).read_text().split()):
            image.call(engines.need(client).name, ["rmi", name])
        _built(client).unlink()


def _build(engine: Engine, below: Image, base: str, path: str, name: str) -> None:
    engines.need(engine.name)
    _say(f"building the image {name} with {engine.name}: the packages of {path} on top of {base}, once")
    command = [engine.name, "build", "--file", str(DOCKERFILE), "--tag", name]
    command += [f"--build-arg=BASE={base}", f"--build-arg=LOCK={below.lock}"]
    command += ["--progress=plain"] if engine.name == "docker" else []
    log = ENVIRONMENTS / f"image-{engine.name}-packages.log"
    with build_secrets.options() as given, _context(path) as folder, open(str(log), "wb") as file:
        built = subprocess.run(
            [*command, *given, folder],
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    text = log.read_text(errors="replace")
    said = SAID.findall(text)
    if built.returncode:
        where = f"(all it said: {os.path.relpath(str(log), str(ROOT))})"
        if said:
            raise RunnerError(said[-1].replace("/opt/requirements.txt", path))
        raise RunnerError(
            f"{engine.name} could not build the image: {engines.explain(text.splitlines())} {where}",
        )
    for line in dict.fromkeys(re.findall(r"ferry: (there is no wheel .+)", text)):
        _say(line)


@contextlib.contextmanager
def _context(path: str) -> Iterator[str]:
    """A folder with the requirements file alone."""
    data = (ROOT / path).read_bytes()
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        Path(folder, "requirements.txt").write_bytes(data)
        yield folder


def _built(client: str) -> Path:
    """The names of what was built, a line each."""
    return ENVIRONMENTS / f"image-{client}-packages"


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)
