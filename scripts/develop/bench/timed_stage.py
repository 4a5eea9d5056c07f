"""Run a stage with its imports done before the clock starts: what is left is the stage's own work.

A program by itself: ``timed_stage.py RESULT.json STAGE ARGUMENT…``. It leaves ``{"work_seconds": 0.3}`` in the file.
"""

import importlib
import json
import os
import runpy
import sys
import time

SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What each stage imports once it runs, and through it every library that it uses.
IMPORTED = {
    "export_onnx": ["ferry.atomic_file", "ferry.export.pytorch_export"],
    "onnx_to_tf": [
        "ferry.atomic_file",
        "ferry.graph.consistency",
        "ferry.graph.onnx_file",
        "ferry.lowering.article",
        "ferry.lowering.convert_onnx",
    ],
    "tf_to_tflite": ["ferry.atomic_file", "ferry.tflite.converter", "ferry.tflite.flatbuffer"],
}


def main() -> int:
    """Run the stage that the command line names, and return its exit code."""
    result, stage, *arguments = sys.argv[1:]
    # The stage would hide the GPU itself, but only after the imports here.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    sys.path.insert(0, SCRIPTS)
    sys.argv = [stage, *arguments]
    for name in IMPORTED[stage]:
        importlib.import_module(name)
    program = runpy.run_path(os.path.join(SCRIPTS, f"{stage}.py"))
    started = time.perf_counter()
    code = program["main"]()
    seconds = time.perf_counter() - started
    if code == 0:
        with open(result, "w", encoding="utf-8") as file:
            json.dump({"work_seconds": seconds}, file)
    return code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # As the stages end: without TensorFlow's teardown.
    os._exit(code)
