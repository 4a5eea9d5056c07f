"""The verdict on a terminal: a table, what is wrong, and one line of it all."""

import math
from typing import List, Optional

from rich.table import Table

from ferry.printable import printable
from ferry.verify.verdict import StageVerdict, Verdict

_NONE = "-"


def table(verdict: Verdict) -> Table:
    """The stages, one a row."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("stage")
    for heading in (
        # The article's own figure and threshold stand beside what decides.
        f"mean abs error{_article(verdict)}",
        "max abs error",
        "times rounding",
        "top-1 agrees",
    ):
        made.add_column(heading, justify="right")
    made.add_column("verdict")
    for name, stage in verdict.stages.items():
        made.add_row(
            printable(name),
            _scientific(stage.mean_abs_error),
            _scientific(stage.max_abs_error),
            _NONE if stage.noise_multiple is None else f"{stage.noise_multiple:.2f}",
            _NONE if stage.top1_agreement is None else _share(stage.top1_agreement),
            _word(stage),
        )
    return made


def lines(verdict: Verdict, path: str) -> List[str]:
    """What is said below the table: a line a fault, what else there is to know, and the verdict in ``path``."""
    said = [f"{name}: {stage.fault}" for name, stage in verdict.stages.items() if stage.fault]
    for name, stage in verdict.stages.items():
        if stage.worst_input:
            said.append(f"{name}: the worst input is in {stage.worst_input}")
    for name, stage in verdict.stages.items():
        if stage.remark:
            said.append(f"{name}: {stage.remark}")
        if stage.pieces is not None:
            said.extend(line for line in stage.pieces.lines(name) if line not in said)
    coverage = [] if verdict.coverage is None else [verdict.coverage.line]
    word = "passed" if verdict.passed else "FAILED"
    whole = f"{word}: {verdict.samples} inputs against PyTorch{_wide(verdict)} in {verdict.seconds or 0:.1f} s; {path}"
    return [f"verify: {line}" for line in (*said, *verdict.notes, *coverage, whole)]


def _article(verdict: Verdict) -> str:
    if verdict.criterion is None:
        return ""
    return f"\narticle: <{verdict.criterion.article_threshold:.0e}".replace("e-0", "e-")


def _wide(verdict: Verdict) -> str:
    """How many of the inputs were run in float64, where not all of them were."""
    taken = verdict.reference.float64_samples if verdict.reference is not None else 0
    return f" ({taken} in float64)" if 0 < taken < verdict.samples else ""


def _word(stage: StageVerdict) -> str:
    if stage.passed:
        return "[green]passed[/]"
    return "[red]failed[/]" if stage.run else "[red]not run[/]"


def _share(agreement: float) -> str:
    # Rounded down: 100% is all of them.
    return f"{math.floor(1000 * agreement) / 10:.1f}%"


def _scientific(value: Optional[float]) -> str:
    return _NONE if value is None else f"{value:.1e}"
