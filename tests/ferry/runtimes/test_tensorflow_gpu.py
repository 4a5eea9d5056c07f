"""What is said of a machine's GPU. The driver here is a stand-in; that there is none is the one thing that is real."""

import ctypes
from importlib import metadata

import pytest

from ferry.runtimes import tensorflow_gpu
from ferry.runtimes.tensorflow_gpu import Gpu, NoGpu

MODULE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Sun Jul 19 14:54:08 UTC 2020\nGCC version:  gcc\n"
OPEN_MODULE = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (dvs-builder@U16)\n"


class Driver:
    """libcuda.so.1, as far as it is asked."""

    def __init__(self, cuda=12020, count=1, capability=(8, 0), refuses=0):
        self.cuInit = lambda _flags: refuses
        self.cuDriverGetVersion = self._gives(cuda)
        self.cuDeviceGetCount = self._gives(count)
        self.cuDeviceGet = self._gives(0)
        self.capability = {
            tensorflow_gpu.CAPABILITY_MAJOR: capability[0],
            tensorflow_gpu.CAPABILITY_MINOR: capability[1],
        }

    @staticmethod
    def _gives(value):
        def function(pointer, *_arguments):
            pointer._obj.value = value
            return 0

        return function

    def cuDeviceGetName(self, buffer, _length, _device):
        buffer.value = b"NVIDIA A100"
        return 0

    def cuDeviceGetAttribute(self, pointer, which, _device):
        pointer._obj.value = self.capability[which]
        return 0


@pytest.fixture()
def machine(monkeypatch, tmp_path):
    """A machine with the driver, the kernel module and CUDA's libraries of the test's choice."""

    def make(driver=None, module="", libraries=tensorflow_gpu.LIBRARIES, built_for_gpus=True):
        monkeypatch.setattr(tensorflow_gpu, "_built_for_gpus", lambda: built_for_gpus)

        def opened(name):
            if name == tensorflow_gpu.DRIVER and driver:
                return driver
            if name in libraries:
                return object()
            raise OSError(f"{name}: cannot open shared object file")

        monkeypatch.setattr(ctypes, "CDLL", opened)
        monkeypatch.setattr(tensorflow_gpu, "KERNEL_MODULE", tmp_path / "version")
        if module:
            tensorflow_gpu.KERNEL_MODULE.write_text(module)
        monkeypatch.setenv("CUDA_CACHE_PATH", str(tmp_path / "cache"))

    return make


def test_here_there_is_a_reason_or_a_gpu():
    # CI has no driver; where there is one, what it says must still be one of the two.
    try:
        assert tensorflow_gpu.find().name
    except NoGpu as reason:
        assert str(reason)


@pytest.mark.parametrize(
    ("driver", "module", "reason"),
    [
        (None, "", "there is no NVIDIA driver here (libcuda.so.1 is not found)"),
        (Driver(refuses=100), "", "the driver finds no GPU"),
        (Driver(count=0), "", "the driver finds no GPU"),
        (Driver(refuses=999), "", "the NVIDIA driver does not answer (cuInit returned 999)"),
        (
            Driver(cuda=10020), "", "the NVIDIA driver is for CUDA 10.2, and TensorFlow needs one for CUDA 11: "
            "450.80.02 or newer",
        ),
        (Driver(), MODULE.format("450.51.06"), "the NVIDIA driver is 450.51.06, and CUDA 11 needs 450.80.02 or newer"),
        (Driver(), MODULE.format("390.144"), "the NVIDIA driver is 390.144, and CUDA 11 needs 450.80.02 or newer"),
    ],
)  # fmt: skip
def test_why_there_is_none_is_said_and_the_cpu_taken(machine, driver, module, reason):
    machine(driver, module)
    said = []
    assert tensorflow_gpu.use("gpu", said.append) is None
    assert said == [f"DEVICE=gpu: {reason}; TensorFlow runs on the CPU"]


def test_a_missing_library_is_named_with_the_image_that_has_it(machine):
    machine(Driver(), libraries=[name for name in tensorflow_gpu.LIBRARIES if "cusolver" not in name])
    with pytest.raises(NoGpu, match=r"libcusolver.so.10 is not found.*Dockerfile.gpu"):
        tensorflow_gpu.find()


def test_a_tensorflow_without_gpu_kernels_is_told_from_a_machine_without_a_gpu(machine):
    machine(Driver(), libraries=[], built_for_gpus=False)
    with pytest.raises(NoGpu, match="this environment's TensorFlow has no GPU kernels; RUNNER=docker"):
        tensorflow_gpu.find()


def test_the_virtual_environments_tensorflow_is_one():
    assert tensorflow_gpu._built_for_gpus() == (
        "tensorflow" in {name.metadata["Name"] for name in metadata.distributions()}
    )


@pytest.mark.parametrize("module", [MODULE.format("450.80.02"), OPEN_MODULE.format("535.104.05"), "not a version", ""])
def test_a_driver_that_is_new_enough_is_taken(machine, module):
    machine(Driver(capability=(7, 5)), module)
    assert tensorflow_gpu.find() == Gpu("NVIDIA A100", (7, 5))


def test_the_cpu_is_asked_nothing(machine, monkeypatch):
    monkeypatch.setattr(tensorflow_gpu, "find", lambda: pytest.fail("asked"))
    assert tensorflow_gpu.use("cpu", pytest.fail) is None


@pytest.mark.parametrize(
    ("capability", "pytorch"),
    [
        ((6, 0), "PyTorch, the reference, stays on the CPU"),
        ((7, 5), "PyTorch, the reference, stays on the CPU"),
        ((8, 0), "PyTorch 1.5.1 has no kernels for it and stays on the CPU"),
        ((8, 9), "PyTorch 1.5.1 has no kernels for it and stays on the CPU"),
    ],
)
def test_a_gpu_is_named_with_what_does_not_run_on_it(machine, monkeypatch, capability, pytorch):
    machine(Driver(capability=capability))
    monkeypatch.setattr(tensorflow_gpu, "_try", lambda _: None)
    said = []
    assert tensorflow_gpu.use("gpu", said.append).capability == capability
    shown = ".".join(map(str, capability))
    assert said == [f"TensorFlow runs on NVIDIA A100 (compute capability {shown}), without TF32; {pytorch}"]


def test_the_first_wait_on_a_newer_gpu_is_announced_and_the_second_is_none(machine, monkeypatch, tmp_path):
    machine(Driver(capability=(9, 0)))
    monkeypatch.setattr(tensorflow_gpu, "_try", lambda _: None)
    said = []
    tensorflow_gpu.use("gpu", said.append)
    assert len(said) == 2
    assert said[0].startswith("this GPU is newer than TensorFlow 2.4: the driver compiles")
    assert said[0].endswith(f"in {tmp_path}/cache")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "index").touch()
    tensorflow_gpu.use("gpu", said.append)
    assert len(said) == 3


def test_a_gpu_that_tensorflow_does_not_run_on_after_all_gives_way_to_the_cpu(machine):
    # TensorFlow itself is not fooled by the driver above.
    machine(Driver())
    said = []
    assert tensorflow_gpu.use("gpu", said.append) is None
    assert len(said) == 1
    assert said[0].startswith("DEVICE=gpu: TensorFlow cannot use NVIDIA A100: ")
    assert said[0].endswith("; TensorFlow runs on the CPU")


@pytest.fixture()
def tensor_float_32():
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(True)
    yield tf.config.experimental.tensor_float_32_execution_enabled
    tf.config.experimental.enable_tensor_float_32_execution(True)


def test_on_a_gpu_float32_stays_float32_and_memory_is_taken_as_needed(tensor_float_32):
    options = tensorflow_gpu.session_options(Gpu("NVIDIA A100", (8, 0)))
    assert not tensor_float_32()
    assert options.gpu_options.allow_growth
    assert "GPU" not in options.device_count
    assert tensorflow_gpu.session_options(None).device_count["GPU"] == 0
