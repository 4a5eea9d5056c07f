"""The outcome of a verification on a terminal: a table, what is wrong, and one line of verdict."""

import math
from typing import Any, Dict, List, Optional

from rich.table import Table

from ferry.verify import criterion


def table(report: Dict[str, Any]) -> Table:
    """The report's stages, one a row."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("stage")
    # The article's own figure and threshold stand beside what decides.
    article = f"article: <{criterion.ARTICLE_THRESHOLD:.0e}".replace("e-0", "e-")
    for heading in (
        f"mean abs error\n{article}",
        "max abs error",
        "times rounding",
        "top-1 agrees",
    ):
        made.add_column(heading, justify="right")
    made.add_column("verdict")
    for name, stage in report["stages"].items():
        agreement, multiple = stage["top1_agreement"], stage["noise_multiple"]
        made.add_row(
            name,
            _scientific(stage["mean_abs_error"]),
            _scientific(stage["max_abs_error"]),
            "-" if multiple is None else f"{multiple:.2f}",
            "-" if agreement is None else _share(agreement),
            "[green]passed[/]" if stage["passed"] else "[red]failed[/]",
        )
    return made


def lines(report: Dict[str, Any], path: str) -> List[str]:
    """What is said below the table: a line a fault, and the verdict."""
    made = [f"verify: {name}: {stage['fault']}" for name, stage in report["stages"].items() if stage["fault"]]
    for name, stage in report["stages"].items():
        if stage["worst_input"]:
            made.append(f"verify: {name}: the worst input is in {stage['worst_input']}")
    reference = report["reference"]
    if reference["dtype"] == "float32":
        made.append(f"verify: PyTorch cannot run it in float64, so float32 is the reference: {reference['reason']}")
    samples = report["samples"]
    if samples < report["settings"]["samples"]:
        made.append(f"verify: the inputs given are {samples}, and all were used")
    verdict = "passed" if report["passed"] else "FAILED"
    return [*made, f"verify: {verdict}: {samples} inputs against PyTorch in {report['seconds']:.1f} s; {path}"]


def _share(agreement: float) -> str:
    # Rounded down: 100% is all of them.
    return f"{math.floor(1000 * agreement) / 10:.1f}%"


def _scientific(value: Optional[float]) -> str:
    return "-" if value is None else f"{value:.1e}"
