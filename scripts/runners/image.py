"""The images: built on first use, and again when something that they are built from changes."""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List, Mapping, NamedTuple

from runners import build_secrets, container_gpu, engines, venv
from runners.engines import Engine
from runners.errors import RunnerError
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, ROOT

COPY = re.compile(r"^COPY (.+) \S+$", re.MULTILINE)
KEPT_OUT = ("__pycache__",)


class Image(NamedTuple):
    """An image: its Dockerfile, the TensorFlow in it, what its build fetches and what it takes on disk.

    A test holds the README to the two figures.
    """

    dockerfile: str
    tf: str
    download: str
    size: str

    @property
    def lock(self) -> str:
        """The lock that it is filled from, relative to the checkout."""
        return str(venv.BY_TENSORFLOW[self.tf].lock.relative_to(venv.ROOT))

    @property
    def kind(self) -> str:
        """Its name without the digest: all that a checkout builds of one kind are versions of the same image."""
        return f"{self.dockerfile.rsplit('.', 1)[-1]}-tf{self.tf}"

    def name(self) -> str:
        """Its name: it ends in a digest of all that goes into the image, so that a name never goes stale."""
        digest = hashlib.sha256(base().encode())
        for path in [ROOT / self.dockerfile, *_copied(self)]:
            data = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT)}\0{len(data)}\0".encode() + data)
        return f"ferry:{self.kind}-{digest.hexdigest()[:16]}"


BY_TENSORFLOW = {
    "2.4": Image("Dockerfile.cpu", "2.4", download="1.0 GB", size="2.5 GB"),
    "2.2": Image("Dockerfile.cpu", "2.2", download="1.0 GB", size="2.5 GB"),
}
GPU = Image("Dockerfile.gpu", "2.4", download="3.1 GB", size="6.4 GB")


def wanted(tf: str, device: str) -> Image:
    """The image for ``TF=tf`` and ``DEVICE=device``."""
    return GPU if device == "gpu" else BY_TENSORFLOW[tf]


def of(values: Mapping[str, str]) -> Image:
    """The image for the user's variables."""
    return wanted(values["TF"], values["DEVICE"])


def ensure(engine: Engine, image: Image) -> str:
    """The name of ``image`` as this checkout makes it now, built where ``engine`` has none.

    Raises:
        RunnerError: the build failed; the message says why.
    """
    name = image.name()
    if not exists(engine, name):
        with one_at_a_time(ENVIRONMENTS):
            if not exists(engine, name):
                _failed(engine.name, image).write_text(name)
                _build(engine, image, name)
                _failed(engine.name, image).unlink()
                _replace_the_last(engine, image, name)
    return name


def failed_before(client: str, image: Image) -> bool:
    """Whether the last build of ``image``, as this checkout makes it now, failed or was interrupted."""
    try:
        return _failed(client, image).read_text() == image.name()
    except OSError:
        return False


def remove(engine: str) -> None:
    """Remove the images that this checkout built last with the client ``engine``, those that nothing uses.

    Raises:
        RunnerError: the engine that has one does not answer.
    """
    for image in (*BY_TENSORFLOW.values(), GPU):
        with contextlib.suppress(FileNotFoundError):
            name = _last(engine, image).read_text()
            call(engines.need(engine).name, ["rmi", name])
            _last(engine, image).unlink()
            if image == GPU:
                # It may be in use, or was never made: both are no trouble.
                call(engine, ["volume", "rm", container_gpu.VOLUME])


def base() -> str:
    """Another image to build on than the Dockerfile's own, or an empty string."""
    return os.environ.get("BASE_IMAGE", "")


def _copied(image: Image) -> Iterator[Path]:
    for sources in COPY.findall((ROOT / image.dockerfile).read_text()):
        for source in sources.replace("${LOCK}", image.lock).split():
            path = ROOT / source
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (file for file in inside if file.is_file() and not set(KEPT_OUT) & set(file.parts))


def exists(engine: Engine, name: str) -> bool:
    """Whether ``engine`` has the image ``name``."""
    return call(engine.name, ["image", "inspect", "--format", "{{.Id}}", name]) == 0


def _build(engine: Engine, image: Image, name: str) -> None:
    engines.need(engine.name)
    log = ENVIRONMENTS / f"image-{engine.name}-{image.kind}.log"
    _say(
        f"building the image {name} with {engine.name}: seconds after a change of a script, otherwise up to "
        f"{image.download} to download and {image.size} on disk"
    )
    # Podman takes a comma in a path for the end of it, so the paths are relative.
    command = [engine.name, "build", "--file", image.dockerfile, "--tag", name]
    command += [f"--build-arg=LOCK={image.lock}", f"--build-arg=TF={image.tf}"]
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


def _replace_the_last(engine: Engine, image: Image, name: str) -> None:
    # The layers that the two share stay; only what the change replaced is given back.
    last = _last(engine.name, image)
    with contextlib.suppress(FileNotFoundError):
        if last.read_text() != name:
            call(engine.name, ["rmi", last.read_text()])
    last.write_text(name)


def _failed(client: str, image: Image) -> Path:
    return ENVIRONMENTS / f"image-{client}-{image.kind}.failed"


def _last(client: str, image: Image) -> Path:
    return ENVIRONMENTS / f"image-{client}-{image.kind}"


def call(client: str, arguments: List[str]) -> int:
    """Call an engine's client, whatever it says; return its exit code."""
    return subprocess.run([client, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def _say(text: str) -> None:
    print(f"ferry: {text}", file=sys.stderr, flush=True)


def _shown(path: Path) -> str:
    return os.path.relpath(str(path), str(ROOT))
