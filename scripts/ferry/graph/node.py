"""Nodes, and the values between them. Each knows the other, so that a pass asks instead of searching.

Values that know their producer and users, and constants that are values, are onnx-ir's idea (onnx/ir-py).
"""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import onnx
from onnx import numpy_helper

from ferry.graph.attributes import Attributes

Shape = Tuple[Optional[int], ...]
DEFAULT_DOMAINS = ("", "ai.onnx")


class Use(NamedTuple):
    """``node`` reads a value as its input number ``position``."""

    node: "Node"
    position: int


class Value:
    """A tensor of a graph: an input of it, a constant, or an output of a node.

    Attributes:
        name: unique in the graph, its subgraphs included; changed by ``Graph.rename``.
        producer: the node that makes it; ``None`` of an input or a constant.
        shape: in ONNX's order, ``None`` for a dimension that is not known; ``None`` if not even their number is.
        dtype: the model's dtype, which a constant is rounded to when it leaves the graph; ``None`` if it is not known.
        is_output: whether it is an output of the graph.
    """

    __slots__ = (
        "_array", "_captured_by", "_tensor", "_uses", "declared", "dtype", "is_output", "name", "producer", "shape",
    )  # fmt: skip

    shape: Optional[Shape]
    dtype: Optional[np.dtype]

    def __init__(self, name: str, shape: Optional[Iterable[Optional[int]]] = None, dtype: Optional[np.dtype] = None):
        self.name = name
        self.shape = None if shape is None else tuple(shape)
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.producer: Optional[Node] = None
        self.is_output = False
        # An input's or output's type as the file states it, which need not be a tensor.
        self.declared: Optional[onnx.TypeProto] = None
        self._uses: Dict[Use, None] = {}
        self._captured_by: Dict[Node, None] = {}
        self._array: Optional[np.ndarray] = None
        self._tensor: Optional[onnx.TensorProto] = None

    def __repr__(self) -> str:
        kind = "constant" if self.is_constant else "value"
        return f"<{kind} {self.name!r} {self.shape} {self.dtype}>"

    @property
    def uses(self) -> List[Use]:
        """Each time that a node of the graph itself reads it, in the order in which they came to do so."""
        return list(self._uses)

    @property
    def captured_by(self) -> List["Node"]:
        """The nodes (If, Loop, Scan) in whose subgraphs it is read."""
        return list(self._captured_by)

    @property
    def is_used(self) -> bool:
        """Whether anything reads it, or it is an output of the graph."""
        return bool(self._uses or self._captured_by or self.is_output)

    @property
    def is_pinned(self) -> bool:
        """Whether it must keep its value: it is an output of the graph, or is read inside a subgraph."""
        return self.is_output or bool(self._captured_by)

    @property
    def sole_use(self) -> Optional[Use]:
        """The one time that it is read; ``None`` if that is not once, or it is pinned."""
        return next(iter(self._uses)) if len(self._uses) == 1 and not self.is_pinned else None

    @property
    def sole_user(self) -> Optional["Node"]:
        """The node that alone reads it, once; ``None`` if there is no such node, or it is pinned."""
        use = self.sole_use
        return use.node if use else None

    @property
    def static_shape(self) -> Optional[Tuple[int, ...]]:
        """The shape, if every dimension of it is known."""
        if self.shape is None or None in self.shape:
            return None
        return tuple(size for size in self.shape if size is not None)

    @property
    def is_constant(self) -> bool:
        """Whether its value is known: it was an initializer, or a pass computed it."""
        return self._array is not None or self._tensor is not None

    @property
    def constant(self) -> Optional[np.ndarray]:
        """The constant's value, to be read only: in the model's dtype as it was read, float64 where a pass computed it.

        ``None`` if the value depends on the graph's inputs.
        """
        if self._tensor is not None:
            self._array, self._tensor = numpy_helper.to_array(self._tensor), None
        return self._array

    @property
    def array(self) -> np.ndarray:
        """The value of what is known to be a constant; see :attr:`constant`."""
        array = self.constant
        if array is None:
            raise ValueError(f"{self.name!r} is no constant")
        return array

    def set_constant(self, array: np.ndarray) -> None:
        """Give the constant the value ``array``; its dtype, which is rounded to at the end, stays."""
        if self.producer is not None:
            raise ValueError(f"{self.name!r} is computed by {self.producer}, and is no constant")
        self._array, self._tensor, self.shape = array, None, tuple(array.shape)

    def rounded(self) -> np.ndarray:
        """The constant in the model's dtype: the one place where what passes computed in float64 is rounded."""
        array = self.array
        return array if array.dtype == self.dtype or self.dtype is None else array.astype(self.dtype)


class Node:
    """An operator, its attributes, and the values that it reads and makes.

    Attributes:
        operator, domain, name: as in ONNX. The name may be empty or that of another node too.
        line: the line of the user's model that it came from, as ``file.py:12``, or empty; see :mod:`onnx_node`.
        attributes: see :class:`Attributes`.
        captures: what its subgraphs read of the graph around them, by the names that it has inside.
        graph: the graph it is in; ``None`` once it was removed.
    """

    __slots__ = (
        "_inputs", "_next", "_outputs", "_previous", "attributes", "captures", "domain", "graph", "line", "name",
        "operator",
    )  # fmt: skip

    def __init__(self, operator: str, attributes: Optional[Attributes] = None, name: str = "", domain: str = ""):
        self.operator, self.domain, self.name = operator, domain, name
        self.line = ""
        self.attributes = Attributes() if attributes is None else attributes
        self.captures: Dict[str, Value] = {}
        self.graph: Any = None
        self._inputs: List[Optional[Value]] = []
        self._outputs: List[Optional[Value]] = []
        self._previous: Optional[Node] = None
        self._next: Optional[Node] = None

    def __repr__(self) -> str:
        made = ", ".join(value.name for value in self._outputs if value)
        return f"<{self.operator} {self.name!r} -> {made}>"

    @property
    def inputs(self) -> Tuple[Optional[Value], ...]:
        """What it reads; ``None`` for an optional input that is left out."""
        return tuple(self._inputs)

    @property
    def outputs(self) -> Tuple[Optional[Value], ...]:
        """What it makes; ``None`` for an optional output that is left out."""
        return tuple(self._outputs)

    def input(self, index: int) -> Optional[Value]:
        """The input number ``index``; ``None`` if it is left out."""
        return self._inputs[index] if index < len(self._inputs) else None

    @property
    def output(self) -> Value:
        """The first output, which is the only one of most operators."""
        made = self._outputs[0] if self._outputs else None
        if made is None:
            raise ValueError(f"{self} makes no first output")
        return made

    @property
    def is_standard(self) -> bool:
        """Whether the operator is one of ONNX's own, not of a domain of somebody else's."""
        return self.domain in DEFAULT_DOMAINS

    def is_a(self, *operators: str) -> bool:
        """Whether it is one of ONNX's own ``operators``."""
        return self.operator in operators and self.is_standard

    def attribute(self, name: str, default: Any = None) -> Any:
        """The value of the attribute ``name``, or ``default`` where the node has none of that name."""
        return self.attributes.get(name, default)

    def set_input(self, index: int, value: Optional[Value]) -> None:
        """Read ``value`` as the input number ``index``, which there is already."""
        old = self._inputs[index]
        if old is not None:
            del old._uses[Use(self, index)]
        self._inputs[index] = value
        if value is not None:
            value._uses[Use(self, index)] = None

    def set_inputs(self, values: Sequence[Optional[Value]]) -> None:
        """Read ``values`` and nothing else."""
        for index in range(len(self._inputs)):
            self.set_input(index, None)
        self._inputs = [None] * len(values)
        for index, value in enumerate(values):
            self.set_input(index, value)

    def capture(self, inner_name: str, value: Value) -> None:
        """Have the subgraphs read ``value`` where they speak of ``inner_name``."""
        old = self.captures.get(inner_name)
        self.captures[inner_name] = value
        value._captured_by[self] = None
        if old is not None and all(other is not old for other in self.captures.values()):
            old._captured_by.pop(self, None)

    def release(self) -> None:
        """Read nothing any more, in the subgraphs either."""
        self.set_inputs(())
        for value in self.captures.values():
            value._captured_by.pop(self, None)
        self.captures = {}
