"""A bisection of the stage that failed: whatever goes wrong in it is a line, and changes nothing of the verdict."""

import math
import sys
import traceback
from typing import List

import numpy as np

from ferry.bisect import describe
from ferry.bisect.bisection_worker import BisectionProcess
from ferry.bisect.finding import Finding
from ferry.errors import FaultElsewhere, FerryError, first_line
from ferry.model.model_source import ModelSource
from ferry.verify.given_file import first_difference
from ferry.verify.given_file.given_file import Opening
from ferry.verify.trial_input import trial_input
from ferry.verify.verdict import Cause
from ferry.worker import Worker


def cause(model: ModelSource, build: str, output: str, layout: str, stage: str) -> Cause:
    """Where ``stage`` breaks. ``build`` holds the artifacts, ``output`` the worst input that was kept of them."""
    try:
        with BisectionProcess(model, build, layout) as process:
            trial = trial_input(output, stage, process.hello().examples)
            finding = process.find(stage, trial.arrays)
    except (FerryError, FaultElsewhere) as error:
        # For the log: the error itself is a line.
        traceback.print_exc(file=sys.stderr)
        return _unknown(f"where {stage} breaks could not be found: {first_line(error)}")
    if finding is None:
        return _unknown(f"no single piece of {stage} is at fault on its worst input: its roundings add up")
    return _cause(finding)


def of_given(model: ModelSource, path: str, opening: Opening, arrays: List[np.ndarray]) -> Cause:
    """Where the file at ``path``, which Ferry did not make, first differs on the inputs ``arrays``."""
    worker = Worker("bisect", first_difference.Locator, model, path, opening)
    try:
        worker.answer()
        found: Cause = worker.call("find", arrays)
        return found
    except FerryError as error:
        traceback.print_exc(file=sys.stderr)
        return _unknown(f"where it differs could not be found: {first_line(error)}")
    finally:
        worker.close()


def _unknown(line: str) -> Cause:
    return Cause(None, "", None, None, None, None, None, [line])


def _cause(finding: Finding) -> Cause:
    node = finding.node
    return Cause(
        step=finding.step,
        tensor=finding.tensor,
        node=node.name if node else None,
        operator=node.operator if node else None,
        scope=node.scope if node else None,
        line=(node.line or None) if node else None,
        error=finding.error if node and math.isfinite(finding.error) else None,
        lines=describe.lines(finding),
    )
