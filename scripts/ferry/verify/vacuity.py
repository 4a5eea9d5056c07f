"""Is this a check that could fail? One that could not is refused, with what to give instead."""

from typing import List, Optional

from ferry.verify import criterion
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary

# Below this magnitude the article's threshold passes any model.
SMALLEST_MAGNITUDE = 1e-6
# What varies by less than this many tolerances, beside a large constant part, could be wrong altogether and pass.
SMALLEST_SPREAD_OVER_TOLERANCE = 100
# A softmax is saturated when this share of its rows is.
SATURATED_ROWS = 0.99


def reason(
    summaries: List[OutputSummary], noise: Optional[List[OutputErrors]], tolerance: Optional[float] = None
) -> Optional[str]:
    """Why no comparison with outputs such as these would mean anything, or ``None``. One entry an output."""
    for position, summary in enumerate(summaries):
        found = _of_output(summary, noise[position] if noise is not None else None, tolerance)
        if found:
            return found
    return None


def _of_output(summary: OutputSummary, noise: Optional[OutputErrors], tolerance: Optional[float]) -> Optional[str]:
    name, magnitude, spread = summary.spec.name, summary.magnitude, summary.spread
    if not summary.finite or (noise is not None and not noise.finite):
        return (
            f"PyTorch's own {name} holds NaN or infinity; look at the model, or give inputs in its range with INPUTS="
        )
    if not summary.count:
        return f"{name} has no elements; leave it out of what the model returns"
    if summary.spec.dtype.kind == "f" and magnitude < SMALLEST_MAGNITUDE:
        return (
            f"{name} is too small to mean anything: its mean magnitude is {magnitude:.1e}, so that any error would "
            "pass. Give the model its trained weights"
        )
    if spread == 0:
        return (
            f"{name} is the same for every input; look at the model, or give it inputs that it tells apart with INPUTS="
        )
    if summary.spec.dtype.kind != "f":
        return None
    if summary.rows and summary.saturated >= SATURATED_ROWS * summary.rows:
        return (
            f"{name} is a saturated softmax: one class has all but a millionth, the others could be wrong and pass. "
            "Return the logits, before the softmax, or give inputs in the model's range with INPUTS="
        )
    if spread < SMALLEST_SPREAD_OVER_TOLERANCE * criterion.allowed(summary, noise, tolerance).mean:
        return (
            f"{name} hardly depends on the input: it varies by {spread:.1e}, beside {magnitude:.1e} in all: its "
            "varying part could be wrong and pass. Take the large constant part out, or give inputs that it tells apart"
        )
    return None
