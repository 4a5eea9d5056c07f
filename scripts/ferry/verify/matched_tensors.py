"""Do two runtimes take and give the same tensors? Names first, then shapes, then dtypes."""

from typing import List, Optional

from ferry.runtimes import TensorSpec


def fault(found: List[TensorSpec], wanted: List[TensorSpec], kind: str) -> Optional[str]:
    """The first difference between two lists of inputs or outputs, as ``kind`` says, as a sentence, or ``None``."""
    names, wanted_names = [spec.name for spec in found], [spec.name for spec in wanted]
    if names != wanted_names:
        return f"its {kind}s are named {', '.join(names) or 'nothing'}; PyTorch's are {', '.join(wanted_names)}"
    for spec, reference in zip(found, wanted):
        if -1 not in spec.shape and tuple(spec.shape) != tuple(reference.shape):
            return f"{kind} {spec.name} has shape {list(spec.shape)}; PyTorch's has {list(reference.shape)}"
        if spec.dtype != reference.dtype:
            return f"{kind} {spec.name} has dtype {spec.dtype}; PyTorch's has {reference.dtype}"
    return None
