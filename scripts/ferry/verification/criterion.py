"""When a stage passes, and the sentence that says why when it does not."""
from typing import List, Optional

from ferry.runtimes import TensorSpec
from ferry.verification.errors_against import Errors, Reference

# The article called a model converted below this mean absolute error.
ARTICLE_THRESHOLD = 1e-6
# Float32's own rounding on MobileNetV2 is 1.2e-6 of the outputs' scale, so the article's figure, relative, leaves no
# room at all. Four times it is: every wrong constant, padding or epsilon that was tried lands a hundred times higher.
RELATIVE_TOLERANCE = 4 * ARTICLE_THRESHOLD
# A mean hides one wrong value among a million. This is of the outputs' scale, too.
RELATIVE_MAXIMUM = 100 * ARTICLE_THRESHOLD
# Below this magnitude the article's threshold passes any model, and above it in steps smaller than float32's the
# outputs carry no information.
SMALLEST_MAGNITUDE = 1e-6
SMALLEST_RELATIVE_SPREAD = 1e-6


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


def vacuous(reference: Reference) -> Optional[str]:
    """Why no comparison with ``reference`` would mean anything, or ``None``."""
    if not reference.finite:
        return "PyTorch's own outputs hold NaN or infinity; look at the model, or at the range of its inputs"
    for spec, magnitude, spread in zip(reference.specs, reference.magnitudes(), reference.spreads()):
        if magnitude < SMALLEST_MAGNITUDE:
            return (
                f"{spec.name} is too small to mean anything: its mean magnitude is {magnitude:.1e}, so that any error "
                "would pass. Give the model its trained weights"
            )
        if reference.samples > 1 and spread < SMALLEST_RELATIVE_SPREAD * magnitude:
            return (
                f"{spec.name} is the same for every input (it varies by {spread:.1e} at a magnitude of "
                f"{magnitude:.1e}), so that the check proves nothing. Give the model its trained weights"
            )
    return None


def value_fault(errors: Errors, reference: Reference) -> Optional[str]:
    """Why the values are too far from the reference's, or ``None``."""
    if not errors.finite:
        return "its outputs hold NaN or infinity where PyTorch's do not"
    for spec, mean, largest in zip(reference.specs, errors.relative(), errors.relative_maxima()):
        if mean > RELATIVE_TOLERANCE:
            return f"{spec.name} is off by {mean:.1e} of its scale in the mean; {RELATIVE_TOLERANCE:.0e} is allowed"
        if largest > RELATIVE_MAXIMUM:
            return f"{spec.name} is off by {largest:.1e} of its scale at worst; {RELATIVE_MAXIMUM:.0e} is allowed"
    return None
