"""A node of a newer opset, as the function that lowers it reads it."""

from typing import Any, Dict, List, Tuple

import numpy as np
import onnx
from onnx import AttributeProto

from ferry.errors import UnsupportedModelError
from ferry.graph import onnx_node
from ferry.graph.newer_opsets.rewriter import GraphRewriter
from ferry.graph.newer_opsets.tensor_types import is_float
from ferry.printable import printable

_FIELDS = {
    AttributeProto.FLOAT: "f",
    AttributeProto.INT: "i",
    AttributeProto.STRING: "s",
    AttributeProto.TENSOR: "t",
    AttributeProto.GRAPH: "g",
    AttributeProto.FLOATS: "floats",
    AttributeProto.INTS: "ints",
    AttributeProto.STRINGS: "strings",
    AttributeProto.TENSORS: "tensors",
    AttributeProto.GRAPHS: "graphs",
}


class Call:
    """``node`` of operator set version ``opset``; what it reads has been written to ``graph``."""

    def __init__(self, node: onnx.NodeProto, opset: int, graph: GraphRewriter):
        self.node, self.opset, self.graph = node, opset, graph
        self.attributes: Dict[str, Any] = {entry.name: _value(entry) for entry in node.attribute}

    @property
    def outputs(self) -> List[str]:
        """The names of what it makes; an omitted one is empty."""
        return list(self.node.output)

    def has(self, position: int) -> bool:
        """Whether the input at ``position`` is given."""
        return position < len(self.node.input) and bool(self.node.input[position])

    def wants(self, position: int) -> bool:
        """Whether the output at ``position`` is asked for."""
        return position < len(self.node.output) and bool(self.node.output[position])

    def input(self, position: int) -> str:
        """The name of an input that the operator cannot do without."""
        if not self.has(position):
            raise self.refuse(f"its input {position} is missing")
        return str(self.node.input[position])

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or ``default``."""
        return self.attributes.get(name, default)

    def value(self, position: int, what: str) -> np.ndarray:
        """The value of an input that must be constant here."""
        value = self.graph.value(self.input(position))
        if value is None:
            raise self.refuse(f"its {what} depend on the model's input, and TFLite needs them constant")
        return value

    def integers(self, position: int, what: str) -> List[int]:
        """The value of an input that holds whole numbers and must be constant."""
        return [int(number) for number in self.value(position, what).reshape(-1)]

    def rank(self, position: int = 0) -> int:
        """The rank of an input."""
        shape = self.graph.type_of(self.input(position)).shape
        if shape is None:
            raise self.refuse(f"the rank of {self.input(position)!r} is not known")
        return len(shape)

    def shape(self, position: int = 0) -> Tuple[int, ...]:
        """The dimensions of an input, all of which must be known."""
        self.rank(position)
        shape = self.graph.type_of(self.input(position)).shape or ()
        known = tuple(size for size in shape if size is not None)
        if len(known) < len(shape):
            raise self.refuse(f"the shape of {self.input(position)!r} is not known")
        return known

    def axis(self, default: int, position: int = 0) -> int:
        """The attribute ``axis``, from 0 on, checked against the rank of an input."""
        return self.checked_axis(self.get("axis", default), self.rank(position))

    def checked_axis(self, axis: int, rank: int) -> int:
        """``axis`` from 0 on."""
        if not -rank <= axis < rank:
            raise self.refuse(f"axis {axis} is none of a tensor of {rank} dimensions")
        return axis % rank

    def is_float(self, position: int = 0) -> bool:
        """Whether an input holds floating-point numbers, or it is not known what."""
        element = self.graph.type_of(self.input(position)).element
        return not element or is_float(element)

    def refuse(self, reason: str) -> UnsupportedModelError:
        """The error that says why this node cannot be written in opset 12's terms."""
        domain = f"{self.node.domain}." if self.node.domain not in ("", "ai.onnx") else ""
        shown = self.node.name or (self.node.output[0] if self.node.output else "")
        line = onnx_node.line_of(self.node)
        of_line = f", from {line}" if line else ""
        return UnsupportedModelError(
            printable(f"{domain}{self.node.op_type} {shown!r} of opset {self.opset}{of_line}: {reason}")
        )


def _value(attribute: onnx.AttributeProto) -> Any:
    # onnx 1.7's own reader raises for a list that is empty.
    field = _FIELDS.get(attribute.type)
    if field is None:
        return None
    value = getattr(attribute, field)
    if field == "s":
        return value.decode(errors="replace")
    return list(value) if field.endswith("s") else value
