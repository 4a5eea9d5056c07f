"""The page of a quantized file: ``report.QUANT.json`` as one HTML file that needs nothing else."""

from typing import Any, Dict, List

from ferry.reports import figures
from ferry.reports.page import environment, style

COSTLIEST = 12


def render(report: Dict[str, Any]) -> str:
    """The page of a report: the same report always as the same text."""
    made = environment()
    made.filters.update(span=_span, number=_number)
    return made.get_template("quantized_page.html.j2").render(
        report=report,
        style=style(),
        operators=_operators(report),
        costs=_costs(report),
        smaller=_smaller(report),
    )


def _operators(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The operators, those that are wrong first, then by how far they are off."""
    return sorted(report["fidelity"], key=lambda each: (each["fault"] is None, -(each["ratio"] or 0.0)))


def _costs(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The operators that cost most, with the width of a bar."""
    positive = [each for each in report["operators"] if each["share"] > 0][:COSTLIEST]
    largest = max((each["share"] for each in positive), default=1.0)
    return [{**each, "width": round(100 * each["share"] / largest, 1)} for each in positive]


def _smaller(report: Dict[str, Any]) -> str:
    files = report["files"]
    if not files or not files["float"]["bytes"]:
        return figures.NONE
    return f"{files[report['quant']]['bytes'] / files['float']['bytes']:.0%}"


def _span(value: Any) -> str:
    return figures.NONE if value is None else f"{value[0]:.4g} to {value[1]:.4g}"


def _number(value: Any) -> str:
    return figures.NONE if value is None else f"{value:.2f}"
