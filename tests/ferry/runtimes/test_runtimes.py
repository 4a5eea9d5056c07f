"""The four runtimes answer alike: same names, shapes and dtypes, and the same numbers to float32's rounding."""

import numpy as np
import pytest

from ferry.runtimes.onnx_runtime import OnnxRuntime
from ferry.runtimes.pytorch_runtime import PytorchRuntime
from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
from ferry.runtimes.tflite_runtime import TfliteRuntime
from onnx_models import normal
from programs import convert, run_python, write_model


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_outputs")
    write_model(folder / "m.py", "(self.c(x), x.mean([2, 3]))", members="self.c = nn.Conv2d(3, 5, 3)")
    return convert(folder / "m.py", folder)


def opened(build):
    return [
        PytorchRuntime(str(build / "m.py")),
        OnnxRuntime(str(build / "model.onnx")),
        TensorflowRuntime(str(build / "model.pb")),
        TfliteRuntime(str(build / "model.tflite")),
    ]


def test_they_describe_the_model_alike(build):
    reference, *others = opened(build)
    assert [spec.name for spec in reference.outputs] == ["output_0", "output_1"]
    for runtime in others:
        assert [(spec.name, tuple(spec.shape), spec.dtype) for spec in runtime.inputs] == [
            ("input", (1, 3, 8, 8), np.dtype(np.float32))
        ]
        assert runtime.outputs == reference.outputs


def test_they_compute_the_same(build):
    x = normal(1, 1, 3, 8, 8)
    reference, *others = [runtime.run([x]) for runtime in opened(build)]
    for outputs in others:
        for made, wanted in zip(outputs, reference):
            np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-6)


def test_each_run_gives_arrays_of_its_own(build):
    # TFLite's interpreter could hand out its own buffer, which the next run overwrites.
    for runtime in opened(build):
        first = runtime.run([normal(1, 1, 3, 8, 8)])[0]
        kept = first.copy()
        runtime.run([normal(2, 1, 3, 8, 8)])
        np.testing.assert_array_equal(first, kept)


def test_onnx_runtime_starts_no_threads_that_would_spin(build):
    program = """
        import os, sys
        import numpy as np
        from ferry.runtimes.onnx_runtime import OnnxRuntime
        before = len(os.listdir("/proc/self/task"))
        OnnxRuntime(sys.argv[1]).run([np.zeros((1, 3, 8, 8), np.float32)])
        print(len(os.listdir("/proc/self/task")) - before)
    """
    assert run_python(program, build / "model.onnx", env={"OMP_NUM_THREADS": "2"}).stdout.strip() == "0"
