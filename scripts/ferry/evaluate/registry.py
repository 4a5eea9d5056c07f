"""The operators that can be evaluated, by name."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional

import onnx

from ferry.evaluate.bounded import Bounded
from ferry.graph.attributes import attribute


class NotEvaluatedError(Exception):
    """An operator, or a form of one, that Ferry's evaluator does not know."""


class Node(NamedTuple):
    """A node as an operator sees it. ``bounds`` says whether bounds are asked for, ``outputs`` how many outputs."""

    proto: onnx.NodeProto
    opset: int
    bounds: bool
    outputs: int

    @property
    def operator(self) -> str:
        """Its type."""
        return str(self.proto.op_type)

    def attribute(self, name: str, default: Any = None) -> Any:
        """The attribute ``name``, text as ``str``, or ``default``."""
        found = attribute(self.proto, name, default)
        return found.decode() if isinstance(found, bytes) else found


Operator = Callable[[Node, List[Optional[Bounded]]], List[Bounded]]
OPERATORS: Dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register a function for the operators ``names``. It is given ``None`` for an input that is left out."""

    def register(function: Operator) -> Operator:
        for name in names:
            assert name not in OPERATORS, name
            OPERATORS[name] = function
        return function

    return register


def given(inputs: List[Optional[Bounded]], position: int) -> Optional[Bounded]:
    """The input at ``position``, ``None`` where it is left out or there are fewer."""
    return inputs[position] if position < len(inputs) else None


def required(inputs: List[Optional[Bounded]], position: int = 0) -> Bounded:
    """The input at ``position``, which ONNX demands."""
    found = given(inputs, position)
    if found is None:
        raise NotEvaluatedError(f"input {position} is left out")
    return found
