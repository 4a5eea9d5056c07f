"""Which function writes which operator in the terms of opset 12."""

from typing import Callable, Dict, NamedTuple, Optional

from ferry.graph.newer_opsets.call import Call

Lower = Callable[[Call], None]


class Lowering(NamedTuple):
    """``function`` is for nodes of opset ``since`` and newer; older ones are in opset 12's terms as they are."""

    function: Lower
    since: int


_LOWERINGS: Dict[str, Lowering] = {}


def lowers(*operators: str, since: int) -> Callable[[Lower], Lower]:
    """Register the decorated function for ``operators``, as they are from opset ``since`` on."""

    def register(function: Lower) -> Lower:
        for operator in operators:
            _LOWERINGS[operator] = Lowering(function, since)
        return function

    return register


def lowering_of(operator: str, opset: int) -> Optional[Lower]:
    """The function that lowers ``operator`` of ``opset``, or None."""
    found = _LOWERINGS.get(operator)
    return found.function if found and opset >= found.since else None
