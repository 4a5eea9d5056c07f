"""The page: ``report.json`` as one HTML file that needs nothing else."""

import os
from typing import Any, Dict, List, Optional

import jinja2

from ferry.reports import charts, figures

FOLDER = os.path.dirname(os.path.abspath(__file__))
# What a runtime is called where people read it.
NAMES = {
    "pytorch": "PyTorch float32",
    "float32": "PyTorch float32",
    "float64": "PyTorch float64",
    "onnx": "ONNX Runtime",
    "tensorflow": "TensorFlow",
    "tflite": "TensorFlow Lite",
}


def render(report: Dict[str, Any]) -> str:
    """The page of a report of schema version 2: the same report always as the same text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        scientific=figures.scientific,
        multiple=figures.multiple,
        share=figures.share,
        decibels=figures.decibels,
        milliseconds=figures.milliseconds,
        filesize=figures.size,
        cosine=figures.cosine,
        called=lambda name: NAMES.get(name, name),
    )
    with open(os.path.join(FOLDER, "page.css"), encoding="utf-8") as file:
        style = file.read()
    return environment.get_template("page.html.j2").render(
        report=report,
        # Markup, since a style sheet is not text in which quotes may be escaped.
        style=jinja2.utils.markupsafe.Markup(style),  # type: ignore[attr-defined]
        chart=charts,
        outputs=_outputs(report),
        latencies=_latencies(report),
        operators=_operators(report),
        flex=any(name.startswith("Flex") for name in (report["stages"].get("tflite") or {}).get("operators") or {}),
        lowest=_lowest,
        failed=[name for name, stage in report["stages"].items() if not stage["passed"]],
    )


def _lowest(entries: List[Dict[str, Any]], key: str) -> Optional[float]:
    return min((entry[key] for entry in entries if entry[key] is not None), default=None)


def _outputs(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    """What there is to show of each output, the worst first."""
    if not report["reference"]:
        return []
    shown = []
    for name, summary in report["reference"]["outputs"].items():
        measures = {
            stage: entry["outputs"][name] for stage, entry in report["stages"].items() if name in entry["outputs"]
        }
        noise = (report["noise_floor"] or {}).get(name)
        shown.append(
            {
                "name": name,
                "summary": summary,
                "measures": measures,
                "noise": noise,
                "histograms": charts.histograms(measures, noise),
                "scale": charts.error_over_magnitude(measures, noise),
                "parts": _parts(measures),
                "badness": max((_over_allowed(each) for each in measures.values()), default=0.0),
            }
        )
    return sorted(shown, key=lambda output: -output["badness"])


def _over_allowed(measures: Dict[str, Any]) -> float:
    found, allowed = measures["against_reference"], measures["allowed"]
    if not measures["finite"] or not found:
        return float("inf")
    if not allowed or not allowed["absolute"]["mean"]:
        return float(measures["unequal_values"] > 0)
    return found["absolute"]["mean"] / allowed["absolute"]["mean"]


def _parts(measures: Dict[str, Dict[str, Any]]) -> List[Dict[str, Any]]:
    """For the stage that is furthest off: along each axis the places with the largest errors, as shares of a bar."""
    stages = [(name, each) for name, each in measures.items() if each["parts"]]
    if not stages:
        return []
    stage, worst = max(stages, key=lambda entry: _over_allowed(entry[1]))
    made = []
    for part in worst["parts"]:
        largest = max([place["mean_abs_error"] or 0.0 for place in part["worst"]] or [0.0])
        largest = max([largest, *(place["noise"] or 0.0 for place in part["worst"])])
        if largest:
            rows = [
                {
                    **place,
                    "width": round(100 * (place["mean_abs_error"] or 0.0) / largest, 1),
                    "mark": None if place["noise"] is None else round(100 * place["noise"] / largest, 1),
                }
                for place in part["worst"][:8]
            ]
            made.append({"stage": stage, "axis": part["axis"], "length": part["length"], "rows": rows})
    return made


def _latencies(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    found = dict((report["reference"] or {}).get("latency") or {})
    found.update({name: stage["latency"] for name, stage in report["stages"].items()})
    known = {name: each["milliseconds"] for name, each in found.items() if each and each["milliseconds"]}
    largest = max((each["p90"] for each in known.values()), default=0.0)
    return [
        {"name": name, **each, **{f"{key}_at": round(100 * each[key] / largest, 1) for key in ("median", "p10", "p90")}}
        for name, each in known.items()
        if largest
    ]


def _operators(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    counts = (report["stages"].get("tflite") or {}).get("operators") or {}
    largest = max(counts.values(), default=1)
    order = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"name": name, "count": count, "width": round(100 * count / largest, 1)} for name, count in order]
