"""Is there a GPU that TensorFlow 2.4 can use, and if not, why not?

The driver is asked itself, through the library that TensorFlow opens too, so that the answer is one of its own:
TensorFlow only says that it sees no GPU.
"""

import ctypes
import os
import re
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Tuple

import numpy as np

# What TensorFlow 2.4 opens, by the names it opens it under.
LIBRARIES = (
    "libcudart.so.11.0",
    "libcublas.so.11",
    "libcublasLt.so.11",
    "libcufft.so.10",
    "libcurand.so.10",
    "libcusolver.so.10",
    "libcusparse.so.11",
    "libcudnn.so.8",
)
DRIVER = "libcuda.so.1"
# CUDA 11's libraries of every minor version run on drivers from this one on.
# https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
OLDEST_DRIVER, OLDEST_CUDA = (450, 80, 2), 11000
KERNEL_MODULE = Path("/proc/driver/nvidia/version")
# The architectures that TensorFlow 2.4.4's wheel holds machine code for (read from its fatbins): it runs on every GPU
# of the same major version. For others it holds PTX, which the driver compiles at the first use.
COMPILED_FOR = (3, 5, 6, 7, 8)
# PyTorch 1.5.1's wheel, read the same way, holds code up to 7.5 and PTX for 3.7 alone.
PYTORCH_UP_TO = (7, 5)
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76
ERRORS = {100: "the driver finds no GPU", 101: "the GPU that CUDA_VISIBLE_DEVICES names is not there"}


class Gpu(NamedTuple):
    """A GPU's name and its compute capability."""

    name: str
    capability: Tuple[int, int]


class NoGpu(Exception):
    """Why there is none to use, in words for the user."""


def find() -> Gpu:
    """The first GPU that CUDA shows.

    Raises:
        NoGpu: there is no driver, no GPU, the driver is older than CUDA 11 needs, or what runs on it is not here:
            TensorFlow's GPU kernels, CUDA's libraries.
    """
    version = _kernel_module()
    if version and version < OLDEST_DRIVER:
        shown = ".".join(f"{part:02}" if position else str(part) for position, part in enumerate(version))
        raise NoGpu(f"the NVIDIA driver is {shown}, and CUDA 11 needs 450.80.02 or newer")
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError as error:
        raise NoGpu(f"there is no NVIDIA driver here ({DRIVER} is not found)") from error
    _ask(driver, "cuInit", 0)
    cuda = _number(driver, "cuDriverGetVersion")
    if cuda < OLDEST_CUDA:
        raise NoGpu(
            f"the NVIDIA driver is for CUDA {cuda // 1000}.{cuda % 1000 // 10}, and TensorFlow needs one for CUDA 11: "
            "450.80.02 or newer"
        )
    if not _number(driver, "cuDeviceGetCount"):
        raise NoGpu(ERRORS[100])
    device = _number(driver, "cuDeviceGet", 0)
    name = ctypes.create_string_buffer(128)
    _ask(driver, "cuDeviceGetName", name, len(name), device)
    major, minor = (
        _number(driver, "cuDeviceGetAttribute", which, device) for which in (CAPABILITY_MAJOR, CAPABILITY_MINOR)
    )
    if not _built_for_gpus():
        raise NoGpu("this environment's TensorFlow has no GPU kernels; RUNNER=docker and RUNNER=podman have them")
    missing = missing_libraries()
    if missing:
        raise NoGpu(
            f"CUDA 11's libraries are not here ({missing[0]} is not found); the image of Dockerfile.gpu has them"
        )
    return Gpu(name.value.decode(errors="replace"), (major, minor))


def _built_for_gpus() -> bool:
    import tensorflow as tf

    return tf.test.is_built_with_cuda()


def missing_libraries() -> List[str]:
    """Those of CUDA's libraries that TensorFlow would open, and that do not load."""
    missing = []
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


def use(wanted: str, say: Callable[[str], None]) -> Optional[Gpu]:
    """The GPU for TensorFlow to run on where ``wanted`` is ``"gpu"``, else None.

    ``say`` is given one line: which GPU it is, or why it is the CPU after all; and one more before a long wait.
    """
    if wanted != "gpu":
        return None
    try:
        gpu = find()
        if _must_be_compiled_for(gpu):
            say(
                "this GPU is newer than TensorFlow 2.4: the driver compiles TensorFlow's kernels for it, once, which "
                f"may take minutes; it keeps them in {_cache()}"
            )
        _try(gpu)
    except NoGpu as reason:
        say(f"DEVICE=gpu: {reason}; TensorFlow runs on the CPU")
        return None
    shown = ".".join(map(str, gpu.capability))
    pytorch = (
        "PyTorch, the reference, stays on the CPU"
        if gpu.capability <= PYTORCH_UP_TO
        else "PyTorch 1.5.1 has no kernels for it and stays on the CPU"
    )
    say(f"TensorFlow runs on {gpu.name} (compute capability {shown}), without TF32; {pytorch}")
    return gpu


def session_options(gpu: Optional[Gpu]):
    """How TensorFlow's sessions are to be opened: on one thread, and on ``gpu``, or where it is None on no GPU."""
    import tensorflow as tf

    options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    if gpu is None:
        options.device_count["GPU"] = 0
    else:
        # TF32 has 10 bits of mantissa where float32 has 23: it would be taken for a fault of the conversion.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        options.gpu_options.allow_growth = True
        options.gpu_options.visible_device_list = "0"
    return options


def _try(gpu: Gpu) -> None:
    """Run one convolution and one product, which take cuDNN and cuBLAS, where a fault is not yet one of the model's."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default(), tf.device("/GPU:0"):
        # Fed, because TensorFlow would compute what it knows in advance on the CPU.
        image = tf.compat.v1.placeholder(tf.float32, [1, 8, 8, 4])
        made = tf.nn.conv2d(image, tf.ones([3, 3, 4, 4]), strides=1, padding="SAME")
        made = tf.matmul(tf.reshape(made, [64, 4]), tf.ones([4, 4]))
    try:
        with tf.compat.v1.Session(graph=graph, config=session_options(gpu)) as session:
            session.run(made, {image: np.ones([1, 8, 8, 4], np.float32)})
    except tf.errors.OpError as error:
        raise NoGpu(f"TensorFlow cannot use {gpu.name}: {str(error.message).splitlines()[0]}") from error


def _must_be_compiled_for(gpu: Gpu) -> bool:
    """Whether the driver has to compile TensorFlow's kernels for ``gpu``, and keeps none that it compiled before."""
    if gpu.capability[0] in COMPILED_FOR:
        return False
    try:
        return not any(_cache().iterdir())
    except OSError:
        return True


def _cache() -> Path:
    return Path(os.environ.get("CUDA_CACHE_PATH") or os.path.expanduser("~/.nv/ComputeCache"))


def _kernel_module() -> Optional[Tuple[int, ...]]:
    try:
        found = re.search(r"Kernel Module\D*?(?:x86_64)?\s+(\d+(?:\.\d+)+)", KERNEL_MODULE.read_text())
    except OSError:
        return None
    return tuple(map(int, found.group(1).split("."))) if found else None


def _number(driver: ctypes.CDLL, function: str, *arguments: int) -> int:
    number = ctypes.c_int()
    _ask(driver, function, ctypes.byref(number), *arguments)
    return number.value


def _ask(driver: ctypes.CDLL, function: str, *arguments) -> None:
    code = getattr(driver, function)(*arguments)
    if code:
        raise NoGpu(ERRORS.get(code, f"the NVIDIA driver does not answer ({function} returned {code})"))
