"""A bisection for someone who asked for something else: whatever goes wrong in it is a line, and not an end."""

import math
import sys
import traceback

from ferry.bisect import describe
from ferry.bisect.find import Bisection, Finding
from ferry.bisect.trial_input import trial_input
from ferry.model.model_source import ModelSource
from ferry.verify.verdict import Cause


def explain(model: ModelSource, build: str, output: str, layout: str, stage: str) -> Cause:
    """Where ``stage`` breaks. ``build`` holds the artifacts, ``output`` the worst input that was kept of them."""
    try:
        bisection = Bisection(model, build, layout)
        trial = trial_input(output, stage, bisection.examples)
        finding = bisection.find(stage, trial.arrays)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return _unknown(f"where {stage} breaks could not be found: {reason}")
    if finding is None:
        return _unknown(f"no single piece of {stage} is at fault on its worst input: its roundings add up")
    return _cause(finding)


def _unknown(line: str) -> Cause:
    return Cause(None, "", None, None, None, None, [line])


def _cause(finding: Finding) -> Cause:
    node = finding.node
    return Cause(
        step=finding.step,
        tensor=finding.tensor,
        node=node.name if node else None,
        operator=node.operator if node else None,
        scope=node.scope if node else None,
        error=finding.error if node and math.isfinite(finding.error) else None,
        lines=describe.lines(finding),
    )
