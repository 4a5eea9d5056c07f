"""Time TFLite models in the runtime that this Python has: the newest one, or TensorFlow's own.

A program by itself, which runs in environments that have nothing else of Ferry's, on Python 3.8 and newer. On its
standard input it takes one JSON object:

    {"models": {"name": "path", …}, "threads": 1, "rounds": 48, "rounds_a_loading": 8}

and on its standard output it writes one a line: ``{"round": 1}`` after each round, and at the end
``{"runtime": "tensorflow 2.4.4", "delegated": {name: bool}, "faults": {name: "why"}, "seconds": {name: [0.01, …]},
"processor_seconds": {name: [0.01, …]}}``.
"""

import itertools
import json
import sys
import time
from importlib import metadata
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

SEED = 0


def in_every_order(names: List[str]) -> Iterator[Tuple[str, ...]]:
    """The orders of ``names``, round by round and without end.

    Each order comes equally often, so that none of the models always finds the caches as the same other one left them.
    """
    return itertools.cycle(itertools.permutations(names))


def interpreter_class():
    """The runtime's ``Interpreter``, and the runtime's name and version."""
    try:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter, f"ai-edge-litert {metadata.version('ai-edge-litert')}"
    except ImportError:
        import tensorflow as tf

        return tf.lite.Interpreter, f"tensorflow {tf.__version__}"


def prepare(make, path: str, threads: int):
    """An interpreter with its inputs set: floats from N(0, 1), with which no weight or activation is denormal."""
    interpreter = make(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    random = np.random.RandomState(SEED)
    for detail in interpreter.get_input_details():
        values = random.standard_normal(detail["shape"])
        interpreter.set_tensor(detail["index"], np.asarray(values).astype(detail["dtype"]))
    return interpreter


def load(make, paths: Dict[str, str], threads: int) -> Tuple[Dict[str, Any], Dict[str, str]]:
    """The models in ``paths``, each invoked twice, and why those that do not run do not."""
    models: Dict[str, Any] = {}
    faults: Dict[str, str] = {}
    for name, path in paths.items():
        try:
            interpreter = prepare(make, path, threads)
            interpreter.invoke()
            models[name] = interpreter
        except (ValueError, RuntimeError) as error:
            faults[name] = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for interpreter in models.values():
        interpreter.invoke()
    return models, faults


def is_delegated(interpreter) -> bool:
    """Whether a delegate, as XNNPACK, has taken some of the model's operators over."""
    return any(operator["op_name"] == "DELEGATE" for operator in interpreter._get_ops_details())


def main() -> None:
    """Measure what the standard input asks for."""
    job = json.load(sys.stdin)
    make, runtime = interpreter_class()
    models, faults = load(make, job["models"], job["threads"])
    delegated = {name: is_delegated(each) for name, each in models.items()}
    seconds: Dict[str, List[float]] = {name: [] for name in models}
    processor_seconds: Dict[str, List[float]] = {name: [] for name in models}
    orders, names = in_every_order(list(models)), list(models)
    for position in range(job["rounds"]):
        if position % job["rounds_a_loading"] == 0:
            # Where its memory comes to lie makes a model a few percent faster or slower for as long as it is loaded.
            models.clear()
            models, _ = load(make, {name: job["models"][name] for name in names}, job["threads"])
            names.append(names.pop(0))
        for name in next(orders):
            started, computed = time.perf_counter(), time.process_time()
            models[name].invoke()
            processor_seconds[name].append(time.process_time() - computed)
            seconds[name].append(time.perf_counter() - started)
        print(json.dumps({"round": position + 1}), flush=True)
    result = {"runtime": runtime, "delegated": delegated, "faults": faults}
    print(json.dumps({**result, "seconds": seconds, "processor_seconds": processor_seconds}), flush=True)


if __name__ == "__main__":
    main()
