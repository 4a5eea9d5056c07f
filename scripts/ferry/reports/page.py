"""The page: ``report.json`` as one HTML file that needs nothing else."""

import os
from typing import Any, Dict, List, Tuple

import jinja2
from markupsafe import Markup

from ferry.printable import printable
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
    """The page of a report: the same report always as the same text."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            style=style(),
            chart=charts,
            outputs=_outputs(report),
            latencies=_latencies(report),
            operators=_operators(report),
            flex=any(name.startswith("Flex") for name in (report["stages"].get("tflite") or {}).get("operators") or {}),
            failed=[name for name, stage in report["stages"].items() if not stage["passed"]],
        )
    )


def environment() -> jinja2.Environment:
    """What fills in the templates of this folder: all that is not markup is escaped, and figures have their filters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    made.filters.update(
        scientific=figures.scientific,
        multiple=figures.multiple,
        share=figures.share,
        decibels=figures.decibels,
        milliseconds=figures.milliseconds,
        filesize=figures.size,
        cosine=figures.cosine,
        called=lambda name: NAMES.get(name, name),
    )
    return made


def style() -> Markup:
    """The style sheet of every page: markup, since it is not text in which quotes may be escaped."""
    with open(os.path.join(FOLDER, "page.css"), encoding="utf-8") as file:
        return Markup(file.read())


def _shown(value: Any) -> Any:
    # What the template itself wrote is markup already.
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


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
                "badness": max((_badness(each) for each in measures.values()), default=(False, 0.0)),
            }
        )
    return sorted(shown, key=lambda output: output["badness"], reverse=True)


def _badness(output: Dict[str, Any]) -> Tuple[bool, float]:
    """What the outputs are ordered by: a fault first, then how much of what is allowed was used."""
    return not output["passed"], output["over_allowed"] or 0.0


def _parts(measures: Dict[str, Dict[str, Any]]) -> List[Dict[str, Any]]:
    """For the stage that is furthest off: along each axis the places with the largest errors, as shares of a bar."""
    stages = [(name, each) for name, each in measures.items() if each["parts"]]
    if not stages:
        return []
    stage, worst = max(stages, key=lambda entry: _badness(entry[1]))
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
