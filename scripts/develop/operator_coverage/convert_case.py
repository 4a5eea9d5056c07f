"""Convert one case to TensorFlow and TFLite with the stage programs themselves, and judge what each result computes."""

import os
import sys
import tempfile
from typing import Callable, Dict, Tuple, Type

import onnx

from develop.operator_coverage import cases
from develop.operator_coverage.differences import differences
from develop.operator_coverage.outcome import FLEX, REFUSED, RIGHT, WRONG, Outcome
from ferry.errors import FAULT, FerryError, first_line, foreign_errors
from ferry.runtimes import LIBRARIES, Runtime
from ferry.runtimes.tensorflow_runtime import TensorflowRuntime
from ferry.runtimes.tflite_runtime import TfliteRuntime
from ferry.tflite import flatbuffer

Programs = Dict[str, Callable[[], int]]


def convert(case: cases.Case, programs: Programs) -> Outcome:
    """Convert ``case`` as far as it goes; ``programs`` are the ``main`` functions of the two stages, by name."""
    content = cases.load(case)
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder:
        source, graph, lite = (os.path.join(folder, f"model.{kind}") for kind in ("onnx", "pb", "tflite"))
        onnx.save(content.model, source)
        code, message = _run(programs, "onnx_to_tf", "--input", source, "--output", graph)
        if code:
            verdict = _verdict_on_error(message)
            return Outcome(verdict, verdict, message)
        difference = _difference(TensorflowRuntime, graph, content)
        if difference:
            return Outcome(WRONG, WRONG, f"TensorFlow: {difference}")
        code, message = _run(programs, "tf_to_tflite", "--input", graph, "--output", lite)
        if code:
            return Outcome(RIGHT, _verdict_on_error(message), message)
        difference = _difference(TfliteRuntime, lite, content)
        if difference:
            return Outcome(RIGHT, WRONG, f"TFLite: {difference}")
        flex = flatbuffer.flex_operators(flatbuffer.operators(flatbuffer.load(lite)))
        return Outcome(RIGHT, FLEX if flex else RIGHT, ", ".join(sorted(flex)))


def _run(programs: Programs, name: str, *arguments: str) -> Tuple[int, str]:
    """Run a stage in this process; return its exit code and, if that is not 0, the error it printed."""
    sys.argv = [name, *arguments]
    with tempfile.TemporaryFile() as errors:
        kept = [os.dup(descriptor) for descriptor in (1, 2)]
        try:
            os.dup2(errors.fileno(), 2)
            code = programs[name]()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, copy in zip((1, 2), kept):
                os.dup2(copy, descriptor)
                os.close(copy)
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
    message = lines[0] if lines else "it ended with no message"
    return code, message.replace(os.path.dirname(arguments[1]) + os.sep, "").replace(f"{name}: error: ", "")


def _verdict_on_error(message: str) -> str:
    return WRONG if message.startswith(FAULT) else REFUSED


def _difference(runtime: Type[Runtime], path: str, content: cases.Content) -> str:
    """How what the artifact computes differs from what is expected; empty if it does not."""
    try:
        with foreign_errors("it does not run", *LIBRARIES):
            made = runtime(path).run(list(content.feeds.values()))  # type: ignore[call-arg]
    except FerryError as error:
        return first_line(error)
    return differences(made, content.expected)
