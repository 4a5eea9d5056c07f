"""The engines to test with, and a checkout of the tests' own to run them from."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import pytest

from programs import KEPT_OUT, ROOT, run
from runners import engines
from runners import image as images

HANGS = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


def pytest_collection_modifyitems(items):
    """The tests of one engine's images follow one another, so that none is built twice."""
    here = [item for item in items if "containers" in item.path.parts]
    here.sort(key=lambda item: "podman" in item.name)
    items[:] = [item for item in items if item not in here] + here


def no_base(engine):
    """Why the engine cannot have the image that the Dockerfiles are built on, or ``None`` where it can."""
    base = images.base() or re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile.cpu").read_text(), re.MULTILINE).group(1)
    if run(engine, "image", "inspect", base).returncode == 0:
        return None
    pulled = run(engine, "pull", "--quiet", base, timeout=600)
    return (
        None
        if pulled.returncode == 0
        else f"{engine} cannot have {base}: {engines.explain(pulled.stderr.splitlines())}"
    )


@pytest.fixture(scope="session", params=["docker", "podman"])
def engine(request):
    """An engine that answers and has the base of the images.

    Without one the test is skipped, unless FERRY_ENGINE_REQUIRED says that is a failure.
    """
    answer = engines.ask(request.param)
    if isinstance(answer, engines.Engine):
        reason = no_base(request.param)
        if reason is None:
            return answer
    else:
        reason = answer.trouble or engines.NOT_THERE[request.param]
    if os.environ.get("FERRY_ENGINE_REQUIRED"):
        pytest.fail(f"FERRY_ENGINE_REQUIRED is set, and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def client(engine):
    """Docker's own library, speaking to the engine; Podman answers it through its service."""
    if engine.name == "docker":
        with contextlib.closing(docker.from_env(timeout=300)) as made:
            yield made
        return
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder, "podman.sock")
        service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{socket}"])
        try:
            deadline = time.time() + 30
            while not socket.exists() and time.time() < deadline:
                time.sleep(0.05)
            with contextlib.closing(docker.DockerClient(f"unix://{socket}", timeout=300)) as made:
                yield made
        finally:
            service.terminate()
            service.wait()


@contextlib.contextmanager
def copy_of_the_checkout():
    """A copy of the checkout that anyone may read; the images built from it are removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="ferry tests, "))
    try:
        folder.chmod(0o755)
        shutil.copytree(str(ROOT), str(folder / "ferry"), ignore=KEPT_OUT)
        yield folder / "ferry"
        run("make", "clean-all", cwd=str(folder / "ferry"))
    finally:
        shutil.rmtree(str(folder))


@pytest.fixture(scope="session")
def checkout():
    """A checkout with no environment of its own."""
    with copy_of_the_checkout() as folder:
        yield folder


@pytest.fixture(scope="session")
def image(engine, checkout):
    """The name of the image of ``checkout``, built."""
    done = run("make", "image", f"RUNNER={engine.name}", cwd=str(checkout), timeout=1200)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def gpu_image(engine, checkout):
    """The name of the GPU image of ``checkout``, built."""
    done = run("make", "image", "DEVICE=gpu", f"RUNNER={engine.name}", cwd=str(checkout), timeout=1800)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def small_copy_of_the_checkout():
    """A copy whose locks hold one small package each, so that its images are built in seconds."""
    with copy_of_the_checkout() as folder:
        for name, package in (("requirements.lock", "iniconfig"), ("requirements/cuda.lock", "nvidia-cuda-nvrtc-cu11")):
            lock = (folder / name).read_text()
            start = lock.index(f"\n{package}==") + 1
            (folder / name).write_text(lock[start : lock.index("\n    # via", start) + 1])
        yield folder


@pytest.fixture()
def small_checkout():
    """A checkout whose locks hold one small package each, so that all of a build can be watched in seconds."""
    with small_copy_of_the_checkout() as folder:
        yield folder


@pytest.fixture(scope="session")
def hanging_checkout():
    """A small checkout whose first stage prints ``up`` and hangs, deaf to whoever tells it to end."""
    with small_copy_of_the_checkout() as folder:
        (folder / "scripts" / "export_onnx.py").write_text(HANGS)
        yield folder
