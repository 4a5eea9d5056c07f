"""Time TFLite models in the runtime that this Python has: the newest one, or TensorFlow's own.

A program by itself, which runs in environments that have nothing else of Ferry's, on Python 3.8 and newer. On its
standard input it takes one JSON object:

    {"models": {"name": "path", …}, "threads": 1, "rounds": 50, "warm_ups": 5}

and on its standard output it writes one a line: ``{"round": 1}`` after each round, warm-ups included, and at the end
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


def is_delegated(interpreter) -> bool:
    """Whether a delegate, as XNNPACK, has taken some of the model's operators over."""
    return any(operator["op_name"] == "DELEGATE" for operator in interpreter._get_ops_details())


def main() -> None:
    """Measure what the standard input asks for."""
    job = json.load(sys.stdin)
    make, runtime = interpreter_class()
    interpreters: Dict[str, Any] = {}
    faults: Dict[str, str] = {}
    for name, path in job["models"].items():
        try:
            interpreters[name] = prepare(make, path, job["threads"])
            interpreters[name].invoke()
        except (ValueError, RuntimeError) as error:
            faults[name] = (str(error).strip().splitlines() or [type(error).__name__])[0]
            interpreters.pop(name, None)
    seconds: Dict[str, List[float]] = {name: [] for name in interpreters}
    processor_seconds: Dict[str, List[float]] = {name: [] for name in interpreters}
    orders = in_every_order(list(interpreters))
    for position in range(job["warm_ups"] + job["rounds"]):
        for name in next(orders):
            started, computed = time.perf_counter(), time.process_time()
            interpreters[name].invoke()
            taken = time.process_time() - computed, time.perf_counter() - started
            if position >= job["warm_ups"]:
                processor_seconds[name].append(taken[0])
                seconds[name].append(taken[1])
        print(json.dumps({"round": position + 1}), flush=True)
    delegated = {name: is_delegated(each) for name, each in interpreters.items()}
    result = {"runtime": runtime, "delegated": delegated, "faults": faults}
    print(json.dumps({**result, "seconds": seconds, "processor_seconds": processor_seconds}), flush=True)


if __name__ == "__main__":
    main()
