"""Run the latency worker in an environment and gather what it measured."""

import json
import os
import subprocess
from typing import Any, Callable, Dict, List, NamedTuple, TextIO

from ferry.errors import BenchError

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "latency_worker.py")
# So often all models are run before they are loaded anew.
ROUNDS_A_LOADING = 8


class Latency(NamedTuple):
    """What one runtime took for each model in each round, in the rounds' order: ``seconds`` by the clock, and
    ``processor_seconds`` of all threads together, which do not count the time that another program had the processor.

    ``delegated`` says whether a delegate ran the model; a model in ``faults`` did not run, for the reason given.
    """

    runtime: str
    threads: int
    delegated: Dict[str, bool]
    faults: Dict[str, str]
    seconds: Dict[str, List[float]]
    processor_seconds: Dict[str, List[float]]


def measure(
    python: str, models: Dict[str, str], threads: int, rounds: int, log: TextIO, advance: Callable[[], None]
) -> Latency:
    """Time the ``.tflite`` files that ``models`` names, each in every round, in one process of ``python``.

    ``advance`` is called after each of ``rounds``; what the runtime prints goes to ``log``.

    Raises:
        BenchError: the process ended without a result.
    """
    job = {"models": models, "threads": threads, "rounds": rounds, "rounds_a_loading": ROUNDS_A_LOADING}
    process = subprocess.Popen(
        [python, "-s", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        universal_newlines=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert process.stdin is not None and process.stdout is not None
    made: Dict[str, Any] = {}
    try:
        process.stdin.write(json.dumps(job))
        process.stdin.close()
        for line in process.stdout:
            made = json.loads(line)
            if "round" in made:
                advance()
    except BrokenPipeError:
        pass
    finally:
        if "runtime" not in made:
            process.kill()
        code = process.wait()
    if "runtime" not in made:
        raise BenchError(f"the runtime of {python} ended with exit code {code} and no figures")
    return Latency(
        made["runtime"], threads, made["delegated"], made["faults"], made["seconds"], made["processor_seconds"]
    )
