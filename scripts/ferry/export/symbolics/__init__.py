"""ONNX forms of operators for which PyTorch 1.5.1's exporter has none, or a wrong one, by kind of operator.

Each module lists its functions in ``SYMBOLICS``, by the name that the exporter asks for: the operator's without
``aten::``, and without its last letter if that is an underscore, which is how the exporter finds ``add`` for ``add_``.
"""

from typing import Any, Callable, Dict, Iterable

from torch.onnx import symbolic_registry

from ferry.export.symbolics import (
    arithmetic,
    bags,
    distances,
    logic,
    norms,
    order,
    pools,
    products,
    rearranging,
    sampling,
    statistics,
    windows,
)

MODULES = (
    arithmetic,
    bags,
    distances,
    logic,
    norms,
    order,
    pools,
    products,
    rearranging,
    sampling,
    statistics,
    windows,
)

SYMBOLICS: Dict[str, Callable[..., Any]] = {
    name: function for module in MODULES for name, function in module.SYMBOLICS.items()
}


def register(opsets: Iterable[int]) -> None:
    """Have the exporter use these functions in each of ``opsets``."""
    for opset in opsets:
        # An export that passed over an operator has put Caffe2's functions there, whose slice() knows no step.
        symbolic_registry._registry.pop(("", opset), None)
        symbolic_registry.register_version("", opset)
        newer = products.SINCE_OPSET_12 if opset >= 12 else {}
        for name, function in {**SYMBOLICS, **newer}.items():
            symbolic_registry.register_op(name, function, "", opset)
