"""The GPU image on a machine that has no GPU: CUDA's libraries load, and the CPU takes over with one line.

With Docker alone: the image is large, and Podman builds it from the same file.
"""

import contextlib
import re
import shutil
import uuid

import docker
import pytest

from ferry.runtimes import tensorflow_gpu
from image_contents import check_settings, installed, pinned, started, unwanted
from programs import ROOT, run

pytestmark = pytest.mark.parametrize("engine", ["docker"], indirect=True, scope="session")

ARTIFACTS = ("model.onnx", "model.pb", "model.tflite")
ON_THE_CPU = r"DEVICE=gpu: .*; TensorFlow runs on the CPU$"

OPEN = """
import ctypes, sys
for name in sys.argv[1:]:
    ctypes.CDLL(name)
    print(name)
"""
# The libraries that cuDNN opens as it needs them, and what these open.
CUDNN_OPENS = (
    *[f"libcudnn_{part}_{use}.so.8" for part in ("ops", "cnn", "adv") for use in ("infer", "train")],
    "libnvrtc.so.11.2", "libnvrtc.so", "libnvrtc-builtins.so.11.8",
)  # fmt: skip

# A library's own name; and what cuRAND has lost since, where TensorFlow draws uniform and normal numbers only.
NEVER_CALLED = {"cublasLt", "curandGenerateBinomial", "curandGenerateBinomialMethod"}
# TensorFlow looks a function up by its name when it first calls it, and its libraries hold the names.
ASKED_FOR = r"""
import ctypes, importlib.util, os, re, sys
package = os.path.dirname(importlib.util.find_spec("tensorflow").origin)
text = b"\0".join(
    open(os.path.join(package, name), "rb").read()
    for name in ("libtensorflow_framework.so.2", "python/_pywrap_tensorflow_internal.so")
)
for prefix, library in (pair.split("=") for pair in sys.argv[1:]):
    names = {name.decode() for name in re.findall(rb"\0(" + prefix.encode() + rb"[A-Z][A-Za-z0-9_]+)\0", text)}
    opened = ctypes.CDLL(library)
    print(prefix, len(names), *(name for name in sorted(names) if not hasattr(opened, name)))
"""


@pytest.mark.parametrize("name", [*tensorflow_gpu.LIBRARIES, *CUDNN_OPENS])
def test_each_library_that_is_opened_by_name_loads(client, gpu_image, name):
    assert started(client, gpu_image, "-c", OPEN, name, entrypoint="python") == f"{name}\n"


def test_the_drivers_own_library_is_not_in_it(client, gpu_image):
    # It belongs to the machine's driver, and another one would not fit.
    with pytest.raises(docker.errors.ContainerError, match="cannot open shared object file"):
        started(client, gpu_image, "-c", OPEN, tensorflow_gpu.DRIVER, entrypoint="python", stderr=True)


def test_every_function_that_tensorflow_may_call_is_in_them(client, gpu_image):
    libraries = {
        "cudnn": "libcudnn.so.8", "cublas": "libcublas.so.11", "cublasLt": "libcublasLt.so.11",
        "cufft": "libcufft.so.10", "curand": "libcurand.so.10", "cusolver": "libcusolver.so.10",
        "cusparse": "libcusparse.so.11",
    }  # fmt: skip
    asked = [f"{prefix}={library}" for prefix, library in libraries.items()]
    for line in started(client, gpu_image, "-c", ASKED_FOR, *asked, entrypoint="python").splitlines():
        prefix, count, *missing = line.split()
        assert set(missing) <= NEVER_CALLED, prefix
        assert int(count) > 10 or prefix == "cublasLt", line


def test_on_its_own_it_verifies_on_the_cpu_and_says_so_in_one_line(client, gpu_image):
    printed = started(client, gpu_image, "verify", "SAMPLES=3")
    assert re.findall(ON_THE_CPU, printed, re.MULTILINE) == [
        "DEVICE=gpu: there is no NVIDIA driver here (libcuda.so.1 is not found); TensorFlow runs on the CPU"
    ]
    assert "verify: passed: 3 inputs" in printed


def test_its_artifacts_are_the_virtual_environments_and_its_runner_takes_the_cpu_in_one_line(
    engine, gpu_image, checkout, mobilenet
):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    done = run("make", "verify", "SAMPLES=3", "DEVICE=gpu", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.returncode == 0, done.stderr
    assert "verify: passed: 3 inputs" in done.stdout
    assert len(re.findall(ON_THE_CPU, done.stdout + done.stderr, re.MULTILINE)) == 1
    for name in ARTIFACTS:
        assert (checkout / "build" / "mobilenet_v2" / name).read_bytes() == (mobilenet / name).read_bytes(), name


def test_it_holds_what_the_locks_name_and_nothing_more(client, gpu_image):
    wanted = {*pinned("requirements.lock"), *pinned("requirements/cuda.lock")}
    assert installed(client, gpu_image) == sorted(pin for pin in wanted if not pin.startswith("tensorflow-cpu="))


def test_its_settings(client, gpu_image):
    check_settings(client, gpu_image)


def test_no_compiler_cache_or_installer_is_left_in_it(client, gpu_image):
    assert unwanted(client, gpu_image) == ""


def test_it_is_the_cpu_image_down_to_the_packages(client, image, gpu_image):
    cpu, both = (client.images.get(name).attrs["RootFS"]["Layers"] for name in (image, gpu_image))
    shared = [line for line in _instructions("Dockerfile.cpu") if line in _instructions("Dockerfile.gpu")]
    assert any("install_packages.sh" in line for line in shared)
    same = next(position for position, (one, other) in enumerate(zip(cpu, both)) if one != other)
    # The base may be several layers; the packages are the last instruction before the two part.
    assert same >= sum(line.startswith(("COPY", "RUN")) for line in shared[: _packages(shared) + 1]) + 1


def _instructions(name):
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [line for line in text.splitlines() if line]


def _packages(instructions):
    return next(position for position, line in enumerate(instructions) if "install_packages.sh ${LOCK}" in line)


def test_what_the_driver_compiles_can_be_kept_in_a_volume_by_whoever_runs_it(client, gpu_image):
    name = f"ferry-test-{uuid.uuid4().hex}"
    volume = {name: {"bind": "/var/cache/ferry-cuda", "mode": "rw"}}
    write = "import os, sys; open(os.path.join(os.environ['CUDA_CACHE_PATH'], sys.argv[1]), 'w')"
    options = {"volumes": volume, "read_only": True, "cap_drop": ["ALL"], "entrypoint": "python"}
    try:
        started(client, gpu_image, "-c", write, "one", user="4242:4242", **options)
        started(client, gpu_image, "-c", write, "two", user="1000:1000", **options)
        listing = "import os; print(*sorted(os.listdir(os.environ['CUDA_CACHE_PATH'])))"
        assert started(client, gpu_image, "-c", listing, user="7:7", **options) == "one two\n"
    finally:
        with contextlib.suppress(docker.errors.NotFound):
            client.volumes.get(name).remove()
