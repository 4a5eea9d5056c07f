"""From what was found of a quantized file to what is wrong with it."""

import json
import math
from typing import List, Optional

from ferry.verify.quantized import fidelity
from ferry.verify.quantized.findings import Decisions, Metric, OperatorFidelity, OutputCost
from ferry.verify.quantized.quantized_verdict import QuantizedLimits
from ferry.verify.verdict import Artifact

# The outputs' error over the simulated scheme's: correct files are at 0.6 to 1.1, and two roundings that have nothing
# to do with each other differ by chance where there are few inputs.
COST_LIMIT, COST_INPUTS = 1.4, 30
# Where every operator is right and the whole is above that limit, only what is far above it is a fault.
COST_CAP = 2.0
# The scheme at its best has to leave so much of what varies, or any file would do as well as a right one.
LEAST_CENTRED_SQNR = 3.0


def limits(inputs: int) -> QuantizedLimits:
    """The constants, for a check whose cost was taken from so many ``inputs``."""
    return QuantizedLimits(
        ratio=fidelity.WHOLE_LIMIT,
        channel_ratio=fidelity.CHANNEL_LIMIT,
        weights_ratio=float(fidelity.WEIGHTS_LIMIT),
        bias_ratio=fidelity.BIAS_LIMIT,
        cost_ratio=1 + (COST_LIMIT - 1) * max(1.0, math.sqrt(COST_INPUTS / max(inputs, 1))),
        least_centred_sqnr_db=LEAST_CENTRED_SQNR,
    )


def float_notes(path: str, float_file: Artifact) -> List[str]:
    """What the report at ``path`` lacks that would make the float file one to hold another against."""
    try:
        with open(path, encoding="utf-8") as file:
            stage = json.load(file)["stages"]["tflite"]
        if stage["artifact"]["sha256"] == float_file.sha256:
            return [] if stage["passed"] else [f"{float_file.path}, the float file, has failed its own verification"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return [f"{float_file.path}, the float file, has not been verified itself: run `make verify` without QUANT="]


def vacuous(outputs: List[OutputCost]) -> Optional[str]:
    """Why these outputs prove nothing, or ``None``."""
    for output in outputs:
        left = output.simulated_centred_sqnr_db
        if left is not None and left < LEAST_CENTRED_SQNR:
            return (
                f"{output.name} varies so little that rounding drowns it: quantized as well as can be, {left:.1f} dB "
                f"are left of what varies from input to input, and {LEAST_CENTRED_SQNR:g} are needed to tell a right "
                "file from a wrong one. Give the model its trained weights, or real inputs with INPUTS="
            )
        if left is None and output.simulated_sqnr_db is not None:
            return f"{output.name} is the same for every input: give at least two inputs that the model tells apart"
    return None


def operator_faults(found: List[OperatorFidelity]) -> List[str]:
    """A line for each operator that does not do what its steps say."""
    return [f"{each.operator} ({each.name}), operator {each.position}: {each.fault}" for each in found if each.fault]


def unjudged_note(found: List[OperatorFidelity]) -> Optional[str]:
    """Which operators are judged by the outputs alone."""
    alone = [each for each in found if each.unjudged]
    unmatched = [each for each in found if not each.matched and not each.unjudged]
    said = []
    if alone:
        kinds = ", ".join(sorted({each.operator for each in alone}))
        said.append(f"{len(alone)} operators ({kinds}) are judged by the outputs alone: {alone[0].unjudged}")
    if unmatched:
        kinds = ", ".join(sorted({each.operator for each in unmatched}))
        said.append(
            f"{len(unmatched)} operators ({kinds}) are not in model.tflite, and are held against themselves in float"
        )
    return "; ".join(said) or None


def cost_faults(outputs: List[OutputCost], found: List[OperatorFidelity], limit: float) -> List[str]:
    """A line for each output whose error is above what the scheme costs."""
    all_judged = all(each.fault is None and each.unjudged is None for each in found)
    allowed = COST_CAP * limit if all_judged else limit
    return [
        f"{output.name} is off by {output.ratio:.1f} times what the scheme costs; {allowed:.1f} times are allowed"
        for output in outputs
        if output.ratio is not None and output.ratio > allowed
    ]


def cost_remarks(outputs: List[OutputCost], limit: float) -> List[str]:
    """A line for each output that is above the limit, and right in each operator."""
    return [
        f"{output.name} is off by {output.ratio:.1f} times what the scheme costs, though each operator is right"
        for output in outputs
        if output.ratio is not None and limit < output.ratio <= COST_CAP * limit
    ]


def decision_faults(decisions: List[Decisions], metric: Optional[Metric], drop: Optional[float]) -> List[str]:
    """What is wrong with the decisions: below what ``ACCURACY_DROP=`` allows."""
    if drop is None:
        return []
    if metric is not None:
        if metric.drop <= drop:
            return []
        return [
            f"get_metric() gives {metric.quantized:.4g} and {metric.floating:.4g} in float: it drops by "
            f"{metric.drop:.4g}, and ACCURACY_DROP={drop:.2%} is allowed"
        ]
    return [
        f"{each.output}: {each.agreed} of {each.count} decisions are the float model's ({each.agreement:.1%}, 95 % "
        f"interval {each.interval[0]:.1%} to {each.interval[1]:.1%}); ACCURACY_DROP={drop:.2%} is allowed"
        for each in decisions
        if each.count - each.agreed > drop * each.count * (1 + 1e-9)
    ]
