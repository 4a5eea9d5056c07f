"""A whole benchmark: what is measured, in what order, and where it all goes."""

import contextlib
import os
import sys
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from develop.bench import conversion, document, latency_in_turns, process, verification
from ferry import atomic_file
from ferry.errors import BenchError
from ferry.tflite import flatbuffer
from ferry.tflite.multiply_adds import multiply_adds
from ferry.versions import versions

HERE = os.path.dirname(os.path.abspath(__file__))
# The models of which Keras has the same network, and its name there.
KERAS_NATIVE = {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50"}
# The first run of each stage finds its files not yet in the system's cache.
CONVERSION_WARM_UPS = 1

Advance = Callable[[str], None]


class Settings(NamedTuple):
    """What to measure: model files by name, and where to.

    ``rounds`` is how often each model runs in each runtime, ``conversion_rounds`` how often it is converted,
    ``samples`` how many inputs it is verified on; ``newest`` is an interpreter that has the newest TFLite runtime and
    matplotlib, or ``None``.
    """

    models: Dict[str, str]
    target: str
    rounds: int
    conversion_rounds: int
    samples: int
    newest: Optional[str]


def steps(settings: Settings) -> int:
    """How often ``measure`` calls ``advance``."""
    converting = conversion.steps(settings.conversion_rounds, CONVERSION_WARM_UPS) + conversion.steps(1, 0)
    running = len(_runtimes(settings)) * len(_threads()) * settings.rounds
    native = sum(name in KERAS_NATIVE for name in settings.models)
    return len(settings.models) * (converting + 1 + running + len(verification.RUNS)) + native


def measure(settings: Settings, advance: Advance) -> Dict[str, Any]:
    """Measure all that ``settings`` names, write it as ``document`` describes, and return it.

    Raises:
        BenchError: Ferry's own path does not convert a model, or no runtime gave a figure.
    """
    left_out: Dict[str, str] = {}
    made = {
        "machine": {"processor": processor(), "cores": len(os.sched_getaffinity(0))},
        "versions": versions(),
        "rounds": settings.rounds,
        "conversion_rounds": settings.conversion_rounds,
        "samples": settings.samples,
        "models": {name: _model(name, settings, left_out, advance) for name in settings.models},
        "runtimes_left_out": left_out,
    }
    if settings.newest is None:
        left_out["the newest runtime"] = "it has no environment here"
    atomic_file.write_bytes(settings.target, document.as_bytes(made))
    return made


def draw(settings: Settings, made: Dict[str, Any]) -> Optional[str]:
    """Draw the chart of what ``measure`` made, and return its path; ``None`` where nothing can be drawn."""
    chart = os.path.splitext(settings.target)[0] + ".svg"
    # An older chart must not pass for this run's.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(chart)
    compared = any(entry["ratios"] for model in made["models"].values() for entry in model["latency"])
    if settings.newest is None or not compared:
        return None
    command = [settings.newest, "-s", os.path.join(HERE, "chart.py"), settings.target, chart]
    process.run(command, os.path.join(_folder(settings), "logs", "chart.log"))
    return chart


def remarks(made: Dict[str, Any]) -> List[str]:
    """What a reader of the tables should also know, one sentence each."""
    lines = []
    for name, model in made["models"].items():
        for path in ("ferry", "article"):
            of_path = model["conversion"][path]
            if "fault" in of_path:
                lines.append(f"{name}: {path} could not be converted: {of_path['fault']}")
                continue
            ratio, work = of_path["ratio_to_bare"], of_path["work_seconds"]["median"]
            lines.append(
                f"{name}, {path}: the stages take {ratio['median']:.2f} times the bare imports of their frameworks; "
                f"onnx_to_tf and tf_to_tflite work {work:.2f} s"
            )
        for entry in model["latency"]:
            delegated = [path for path, taken in entry["delegated"].items() if taken]
            what = f"XNNPACK, its default delegate, for {', '.join(delegated)}" if delegated else "no delegate"
            lines.append(f"{name}: {entry['runtime']} runs them on {entry['threads']} thread(s) with {what}")
            lines += [
                f"{name}, {path} does not run in {entry['runtime']}: {why}" for path, why in entry["faults"].items()
            ]
        if "fault" in model["verification"]:
            lines.append(f"{name}: the verification was not timed: {model['verification']['fault']}")
    return lines + [f"{what} is left out: {why}" for what, why in made["runtimes_left_out"].items()]


def processor() -> str:
    """The processor's model name."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"


def _model(name: str, settings: Settings, left_out: Dict[str, str], advance: Advance) -> Dict[str, Any]:
    folder = os.path.join(_folder(settings), name)
    converted: Dict[str, Any] = {}
    paths: Dict[str, str] = {}
    for path, rounds, warm_ups in (("ferry", settings.conversion_rounds, CONVERSION_WARM_UPS), ("article", 1, 0)):
        into = os.path.join(folder, path)
        step = partial(advance, f"{name}: converting ({path})")
        try:
            runs = conversion.measure(settings.models[name], path, into, rounds, warm_ups, step)
        except BenchError as error:
            if path == "ferry":
                raise
            converted[path] = {"fault": str(error)}
        else:
            converted[path] = document.conversion(runs)
            paths[path] = os.path.join(into, "model.tflite")
    advance(f"{name}: converting (nhwc)")
    paths["nhwc"] = conversion.convert_to_nhwc(os.path.join(folder, "ferry"), os.path.join(folder, "nhwc"))
    if name in KERAS_NATIVE:
        advance(f"{name}: building Keras's own")
        paths["keras"] = os.path.join(folder, "keras", "model.tflite")
        program = [sys.executable, "-s", os.path.join(HERE, "keras_native.py"), KERAS_NATIVE[name], paths["keras"]]
        process.run(program, os.path.join(folder, "logs", "keras.log"))
    paths = {path: paths[path] for path in document.PATHS if path in paths}
    files = {path: _file(tflite) for path, tflite in paths.items()}
    return {
        "files": files,
        "latency": _latencies(name, paths, settings, left_out, advance),
        "conversion": converted,
        "verification": _verification(name, folder, settings, advance),
    }


def _verification(name: str, folder: str, settings: Settings, advance: Advance) -> Dict[str, Any]:
    artifacts, into = os.path.join(folder, "ferry"), os.path.join(folder, "verify")
    step = partial(advance, f"{name}: verifying")
    try:
        checks = verification.measure(settings.models[name], artifacts, into, settings.samples, step)
    except BenchError as error:
        return {"fault": str(error)}
    return {run: check.as_dictionary() for run, check in zip(verification.RUNS, checks)}


def _latencies(
    name: str, paths: Dict[str, str], settings: Settings, left_out: Dict[str, str], advance: Advance
) -> List[Dict[str, Any]]:
    log = os.path.join(_folder(settings), name, "logs", "latency_in_turns.log")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    measured = []
    with open(log, "w", encoding="utf-8") as file:
        for python in _runtimes(settings):
            for threads in _threads():
                step = partial(advance, f"{name}: {threads} thread{'s' if threads > 1 else ''}")
                try:
                    made = latency_in_turns.measure(python, paths, threads, settings.rounds, file, step)
                except BenchError as error:
                    left_out[f"{name} on {threads} thread(s) of {os.path.dirname(python)}"] = str(error)
                else:
                    measured.append(document.latency(made))
    if not measured:
        raise BenchError(f"no runtime gave a figure for {name}; {log} holds what they said")
    return measured


def _file(path: str) -> Dict[str, Any]:
    data = flatbuffer.load(path)
    operators = flatbuffer.operators(data)
    return {
        "bytes": len(data),
        "operators": dict(sorted(operators.items())),
        "operator_count": sum(operators.values()),
        "multiply_adds": multiply_adds(data),
    }


def _runtimes(settings: Settings) -> List[str]:
    return [sys.executable, *filter(None, [settings.newest])]


def _threads() -> List[int]:
    return sorted({1, len(os.sched_getaffinity(0))})


def _folder(settings: Settings) -> str:
    return os.path.splitext(settings.target)[0]
