"""When a stage passes, and the sentence that says why when it does not."""

from typing import List, NamedTuple, Optional

from ferry.runtimes import TensorSpec
from ferry.verification.errors_against import Errors, Reference

# The article called a model converted below this mean absolute error.
ARTICLE_THRESHOLD = 1e-6
# Two correct float32 programs that add in different orders differ by both their roundings, 1.4 times one of them where
# those are independent; the slower of two orders may round twice as much. Four times leaves room for that and no more.
HEADROOM = 4
# A model that float32 rounds by more than this is not one whose outputs can be relied on, so no rounding excuses more.
LARGEST_TOLERANCE = 1e-3
# A mean hides one wrong value among a million, so the largest error has a limit of its own: this many mean ones.
MAXIMUM_OVER_MEAN = 25
# Below this magnitude the article's threshold passes any model.
SMALLEST_MAGNITUDE = 1e-6
# What varies by less than this many tolerances, beside a large constant part, could be wrong altogether and pass.
SMALLEST_SPREAD_OVER_TOLERANCE = 100


class Tolerance(NamedTuple):
    """How far one output may be off, as a share of its mean magnitude: in the mean, and at worst."""

    mean: float
    maximum: float


def tolerances(noise: Optional[List[float]], outputs: int) -> List[Tolerance]:
    """The tolerance of each output: ``HEADROOM`` times the article's threshold, or times PyTorch's own rounding.

    The larger of the two counts: a deep network with large activations rounds by more than the article's 1e-6 however
    it is run. ``noise`` is ``None`` where that rounding could not be measured.
    """
    floors = [max(ARTICLE_THRESHOLD, each) for each in noise or [0.0] * outputs]
    means = [min(HEADROOM * floor, LARGEST_TOLERANCE) for floor in floors]
    return [Tolerance(mean, MAXIMUM_OVER_MEAN * mean) for mean in means]


def interface_fault(found: List[TensorSpec], wanted: List[TensorSpec], kind: str) -> Optional[str]:
    """Compare names, then shapes, then dtypes of inputs or outputs; the first difference as a sentence, or ``None``."""
    names, wanted_names = [spec.name for spec in found], [spec.name for spec in wanted]
    if names != wanted_names:
        return f"its {kind}s are named {', '.join(names) or 'nothing'}; PyTorch's are {', '.join(wanted_names)}"
    for spec, reference in zip(found, wanted):
        if -1 not in spec.shape and tuple(spec.shape) != tuple(reference.shape):
            return f"{kind} {spec.name} has shape {list(spec.shape)}; PyTorch's has {list(reference.shape)}"
        if spec.dtype != reference.dtype:
            return f"{kind} {spec.name} has dtype {spec.dtype}; PyTorch's has {reference.dtype}"
    return None


def vacuous(reference: Reference, allowed: List[Tolerance]) -> Optional[str]:
    """Why no comparison with ``reference`` within the ``allowed`` tolerances would mean anything, or ``None``."""
    if not reference.finite:
        return "PyTorch's own outputs hold NaN or infinity; look at the model, or at the range of its inputs"
    for spec, magnitude, spread, limit in zip(reference.specs, reference.magnitudes(), reference.spreads(), allowed):
        if magnitude < SMALLEST_MAGNITUDE:
            return (
                f"{spec.name} is too small to mean anything: its mean magnitude is {magnitude:.1e}, so that any error "
                "would pass. Give the model its trained weights"
            )
        if reference.samples > 1 and spread == 0:
            return f"{spec.name} is the same for every input; look at the model, or at the range of the example input"
        if reference.samples > 1 and spread < SMALLEST_SPREAD_OVER_TOLERANCE * limit.mean * magnitude:
            return (
                f"{spec.name} hardly depends on the input: it varies by {spread:.1e}, beside {magnitude:.1e} in all: "
                "its varying part could be wrong and pass. Take the large constant part out of it"
            )
    return None


def value_fault(errors: Errors, reference: Reference, allowed: List[Tolerance]) -> Optional[str]:
    """Why the values are too far from the reference's, or ``None``."""
    if not errors.finite:
        return "its outputs hold NaN or infinity where PyTorch's do not"
    for spec, mean, largest, limit in zip(reference.specs, errors.relative(), errors.relative_maxima(), allowed):
        if spec.dtype.kind in "iub" and largest > 0:
            return f"{spec.name} is of {spec.dtype}, which does not round, and differs"
        if mean > limit.mean:
            return f"{spec.name} is off by {mean:.1e} of its scale in the mean; {limit.mean:.1e} is allowed"
        if largest > limit.maximum:
            return f"{spec.name} is off by {largest:.1e} of its scale at worst; {limit.maximum:.1e} is allowed"
    return None
