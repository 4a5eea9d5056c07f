"""A bisection for someone who asked for something else: whatever goes wrong in it is a line, and not an end."""

import math
import sys
import traceback
from typing import Any, Dict, List, Optional, Tuple

from ferry.bisect import describe
from ferry.bisect.find import Bisection, Finding
from ferry.bisect.trial_input import trial_input
from ferry.model.model_source import ModelSource


def explain(
    model: ModelSource, build: str, output: str, layout: str, stage: str
) -> Tuple[List[str], Optional[Dict[str, Any]]]:
    """Where ``stage`` breaks, as lines for a terminal and as plain values for the report.

    ``build`` holds the artifacts, ``output`` the worst input that was kept of them.
    """
    try:
        bisection = Bisection(model, build, layout)
        trial = trial_input(output, stage, bisection.examples)
        finding = bisection.find(stage, trial.arrays)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return [f"where {stage} breaks could not be found: {reason}"], None
    if finding is None:
        return [f"no single piece of {stage} is at fault on its worst input: its roundings add up"], None
    lines = describe.lines(finding)
    return lines, _plain(finding, lines)


def _plain(finding: Finding, lines: List[str]) -> Dict[str, Any]:
    node = finding.node
    return {
        "step": finding.step,
        "tensor": finding.tensor,
        "node": node.name if node else None,
        "operator": node.operator if node else None,
        "scope": node.scope if node else None,
        "error": finding.error if node and math.isfinite(finding.error) else None,
        "lines": lines,
    }
