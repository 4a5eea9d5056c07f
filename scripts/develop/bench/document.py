"""``bench.json``: every figure of a benchmark, as plain values.

Schema version 1. A spread is ``{"median", "p10", "p90"}`` of the samples; a ratio is taken round by round, and then
its spread.

- ``machine``: ``processor``, ``cores`` that the process may use
- ``versions``: of Python and the packages the model was made with
- ``rounds``, ``conversion_rounds``: the samples behind each spread; the article's path is converted once
- ``samples``: how many inputs a verification compares
- ``models.<name>.files.<path>``: one each of ``ferry``, ``nhwc`` (the same with ``LAYOUT=nhwc``), ``keras`` (the
  network Keras has, where it has one) and ``article`` (onnx-tf alone, where it could be made): ``bytes``,
  ``operators`` (how many of each), ``operator_count``, ``multiply_adds``
- ``models.<name>.latency``: a list, one a runtime and number of threads: ``runtime``, ``threads``, ``delegated`` (did a
  delegate take over operators), ``milliseconds.<path>``, ``ratios.<path>/<other>``, ``processor_ratios`` (the same of
  the processor time of all threads, which a busy machine changes less), ``faults.<path>``
- ``models.<name>.conversion.<path>``: ``stages.<stage>`` with ``seconds`` (the whole process, from cold),
  ``work_seconds`` (its imports left out), ``bare_seconds`` (a process that only imports the framework) and
  ``peak_bytes`` (largest of the rounds); ``ratio_to_bare`` of all stages together, ``work_seconds`` of ``onnx_to_tf``
  and ``tf_to_tflite`` together; or ``fault`` alone. ``nhwc`` and ``keras`` are not timed
- ``models.<name>.verification.<run>``: one each of ``first`` and ``again``, which finds PyTorch's outputs kept:
  ``seconds``, ``inference_seconds.<runtime>`` within them, ``ratio_to_inference`` of the one to the sum of the other,
  ``peak_bytes`` of the largest process; or ``fault`` alone
- ``runtimes_left_out``: what could not be measured, each with the reason
"""

import json
from typing import Any, Dict, List

from develop.bench import spread
from develop.bench.conversion import StageRun
from develop.bench.latency_in_turns import Latency

SCHEMA_VERSION = 1
# The article's hours of waiting were in these two; the export was PyTorch's alone.
CONVERTING = ("onnx_to_tf", "tf_to_tflite")
PATHS = ("ferry", "nhwc", "keras", "article")
# Against the network that Keras has and, where it has none, against Ferry's own.
RATIOS = [(path, other) for other in ("keras", "ferry") for path in PATHS if path != other]


def latency(made: Latency) -> Dict[str, Any]:
    """One runtime's figures."""
    seconds = made.seconds
    return {
        "runtime": made.runtime,
        "threads": made.threads,
        "delegated": made.delegated,
        "milliseconds": {
            name: spread.of([1e3 * each for each in samples]).as_dictionary() for name, samples in seconds.items()
        },
        "ratios": _ratios(seconds),
        "processor_ratios": _ratios(made.processor_seconds),
        "faults": made.faults,
    }


def _ratios(samples: Dict[str, List[float]]) -> Dict[str, Dict[str, float]]:
    return {
        f"{one}/{other}": spread.of_ratios(samples[one], samples[other]).as_dictionary()
        for one, other in RATIOS
        if one in samples and other in samples
    }


def conversion(runs: Dict[str, List[StageRun]]) -> Dict[str, Any]:
    """One path's figures; the stages of a round belong together, so sums and ratios are taken round by round."""
    rounds = list(zip(*runs.values()))
    work = zip(*(runs[stage] for stage in CONVERTING))
    return {
        "stages": {stage: _stage(samples) for stage, samples in runs.items()},
        "ratio_to_bare": spread.of_ratios(
            [sum(run.seconds for run in each) for each in rounds],
            [sum(run.bare_seconds for run in each) for each in rounds],
        ).as_dictionary(),
        "work_seconds": spread.of([sum(run.work_seconds for run in each) for each in work]).as_dictionary(),
    }


def _stage(runs: List[StageRun]) -> Dict[str, Any]:
    return {
        "seconds": spread.of([run.seconds for run in runs]).as_dictionary(),
        "work_seconds": spread.of([run.work_seconds for run in runs]).as_dictionary(),
        "bare_seconds": spread.of([run.bare_seconds for run in runs]).as_dictionary(),
        "peak_bytes": max(run.peak_bytes for run in runs),
    }


def as_bytes(made: Dict[str, Any]) -> bytes:
    """The document as JSON."""
    return (json.dumps({"schema_version": SCHEMA_VERSION, **made}, indent=2) + "\n").encode()
