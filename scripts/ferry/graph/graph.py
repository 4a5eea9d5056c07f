"""The graph that the passes edit: read from ONNX once, kept true at each edit, written once."""

from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np
import onnx

from ferry.graph.attributes import Attributes
from ferry.graph.node import DEFAULT_DOMAINS, Node, Shape, Value


class Graph:
    """Nodes in topological order, and the values that they read and make.

    Every edit takes constant time and leaves producers, uses, names and the order true. Who edits says what shapes and
    dtypes new values have, where they are known.

    Attributes:
        inputs: the values that a caller feeds.
        opsets: the version of each operator set, by its domain.
    """

    def __init__(self, name: str = "graph", opsets: Optional[Mapping[str, int]] = None, ir_version: int = 6):
        self.name, self.ir_version = name, ir_version
        self.opsets: Dict[str, int] = dict(opsets or {"": 11})
        self.inputs: List[Value] = []
        self._outputs: List[Value] = []
        self._values: Dict[str, Value] = {}
        self._constants: Dict[Value, None] = {}
        # Names that no value may have: those of values that are gone, and those inside subgraphs.
        self._reserved: Dict[str, None] = {}
        self._numbers: Dict[str, int] = {}
        self._first: Optional[Node] = None
        self._last: Optional[Node] = None

    # What is in it

    @property
    def opset(self) -> int:
        """The version of the default operator set."""
        return max((version for domain, version in self.opsets.items() if domain in DEFAULT_DOMAINS), default=1)

    @property
    def outputs(self) -> List[Value]:
        """What the graph computes, in the model's order."""
        return list(self._outputs)

    @property
    def constants(self) -> List[Value]:
        """The initializers, in the order in which they came."""
        return list(self._constants)

    @property
    def values(self) -> List[Value]:
        """All inputs, constants and outputs of nodes."""
        return list(self._values.values())

    def __iter__(self) -> Iterator[Node]:
        """The nodes in order. While they are walked, those removed are passed over, and those inserted are not met."""
        return (node for node in self.nodes if node.graph is self)

    @property
    def nodes(self) -> List[Node]:
        """The nodes in order, as they are now."""
        found = []
        node = self._first
        while node is not None:
            found.append(node)
            node = node._next
        return found

    def find(self, name: str) -> Optional[Value]:
        """The value called ``name``, if there is one."""
        return self._values.get(name)

    # Values

    def fresh_name(self, stem: str) -> str:
        """``stem``, or with a number, a name that nothing in the graph or its subgraphs has or had."""
        name = stem
        while name in self._values or name in self._reserved:
            self._numbers[stem] = self._numbers.get(stem, 0) + 1
            name = f"{stem}_{self._numbers[stem]}"
        return name

    def is_free(self, name: str, value: Value) -> bool:
        """Whether ``value`` may be called ``name``."""
        return self._values.get(name, value) is value and name not in self._reserved

    def reserve(self, names: Iterable[str]) -> None:
        """Keep ``names``, which subgraphs use, from all values that are still to come."""
        self._reserved.update(dict.fromkeys(names))

    def add_value(
        self, stem: str, shape: Optional[Iterable[Optional[int]]] = None, dtype: Optional[np.dtype] = None
    ) -> Value:
        """A new value, for a node to make or to feed, called ``stem`` or a name near it that is free."""
        value = Value(self.fresh_name(stem), shape, dtype)
        self._values[value.name] = value
        return value

    def add_input(self, name: str, shape: Optional[Shape] = None, dtype: Optional[np.dtype] = None) -> Value:
        """A new input."""
        value = self.add_value(name, shape, dtype)
        self.inputs.append(value)
        return value

    def add_constant(self, stem: str, array: np.ndarray, dtype: Optional[np.dtype] = None) -> Value:
        """A new constant. ``dtype`` is what ``array``, which may be float64, is rounded to when it leaves the graph."""
        value = self.add_value(stem, array.shape, array.dtype if dtype is None else dtype)
        self.keep_constant(value, array)
        return value

    def keep_constant(self, value: Value, content: Union[np.ndarray, onnx.TensorProto]) -> None:
        """Make ``value``, which nothing computes, a constant. A tensor of ONNX becomes an array when asked for."""
        if isinstance(content, np.ndarray):
            value.set_constant(content)
            value.dtype = content.dtype if value.dtype is None else value.dtype
        else:
            value._tensor = content
        self._constants[value] = None

    def set_outputs(self, values: Sequence[Value]) -> None:
        """Make ``values`` what the graph computes."""
        for value in self._outputs:
            value.is_output = False
        self._outputs = list(values)
        for value in values:
            value.is_output = True

    def rename(self, value: Value, name: str) -> None:
        """Call ``value`` by ``name``, which no other value has; subgraphs that read it follow when they are written."""
        if name == value.name:
            return
        if not self.is_free(name, value):
            raise ValueError(f"the name {name!r} is taken")
        del self._values[value.name]
        self._reserved[value.name] = None
        value.name = name
        self._values[name] = value

    def forget(self, value: Value) -> None:
        """Take a constant, or what no node makes any more, out of the graph; nothing may read it."""
        if value.is_used or value.producer is not None:
            raise ValueError(f"{value.name!r} is used, and cannot be taken out of the graph")
        del self._values[value.name]
        self._constants.pop(value, None)
        self._reserved[value.name] = None

    def forget_unused(self, values: Iterable[Optional[Value]]) -> None:
        """Take those constants among ``values`` that nothing reads out of the graph, and so out of memory."""
        for value in values:
            if value is not None and value in self._constants and not value.is_used:
                self.forget(value)

    def replace_all_uses(self, old: Value, new: Value) -> None:
        """Have everything that reads ``old``, subgraphs too, read ``new``. An output of the graph keeps its name.

        A pass that changes how an output is computed has another node make it: see :meth:`insert`.
        """
        if old.is_output:
            raise ValueError(f"{old.name!r} is an output of the graph, and stays what it computes")
        for use in old.uses:
            use.node.set_input(use.position, new)
        for node in old.captured_by:
            for inner_name, value in list(node.captures.items()):
                if value is old:
                    node.capture(inner_name, new)

    # Nodes

    def insert(
        self,
        operator: str,
        inputs: Sequence[Optional[Value]],
        outputs: Sequence[Optional[Value]],
        attributes: Union[Attributes, Mapping[str, Any], None] = None,
        name: str = "",
        domain: str = "",
        before: Optional[Node] = None,
        after: Optional[Node] = None,
    ) -> Node:
        """A new node, ``before`` or ``after`` another, or at the end.

        It may make a value that another node made until now: whoever reads that reads the new node's. The line of the
        user's model that it came from is that of the other node, else of the one it stands beside.
        """
        if not isinstance(attributes, Attributes):
            attributes = Attributes(**(attributes or {}))
        node = Node(operator, attributes, name, domain)
        node.set_inputs(inputs)
        beside = before or after
        node.line = beside.line if beside is not None else ""
        for value in outputs:
            if value is not None and value.producer is not None:
                node.line = value.producer.line or node.line
                taken = value.producer._outputs
                taken[taken.index(value)] = None
            node._outputs.append(value)
            if value is not None:
                value.producer = node
        if before is not None:
            after = before._previous
        elif after is None:
            after = self._last
        self._link(node, after)
        return node

    def remove(self, node: Node) -> None:
        """Take ``node`` and the values it makes out of the graph; nothing may read them."""
        used = [value.name for value in node.outputs if value is not None and value.is_used]
        if used:
            raise ValueError(f"{node} cannot be removed: {', '.join(used)} is used")
        node.release()
        for value in node.outputs:
            if value is not None:
                value.producer = None
                self.forget(value)
        self._unlink(node)

    def replace(
        self,
        nodes: Sequence[Node],
        operator: str,
        inputs: Sequence[Optional[Value]],
        attributes: Union[Attributes, Mapping[str, Any], None] = None,
        name: Optional[str] = None,
    ) -> Node:
        """One new node in the place of ``nodes``, a run of which the last one's outputs alone are read elsewhere."""
        last = nodes[-1]
        made = self.insert(operator, inputs, last.outputs, attributes, last.name if name is None else name, before=last)
        made.line = next((node.line for node in reversed(nodes) if node.line), "")
        for node in reversed(nodes):
            self.remove(node)
        return made

    def absorb(self, node: Node, follower: Node) -> None:
        """Have ``node``, whose first output ``follower`` alone reads, make what that made, and remove ``follower``."""
        old, new = node.output, follower.output
        follower.release()
        follower._outputs[0] = None
        node._outputs[0], new.producer = new, node
        old.producer = None
        self.forget(old)
        self.remove(follower)

    def fold(self, value: Value, array: np.ndarray) -> None:
        """Make ``value`` a constant, ``array``. The node that made it until now goes, if it makes nothing else."""
        node = value.producer
        if node is not None:
            node._outputs[node._outputs.index(value)] = None
            value.producer = None
            if not any(node.outputs):
                self.remove(node)
        value.dtype = array.dtype
        self.keep_constant(value, array)

    def remove_dead(self) -> bool:
        """Drop the nodes and constants that no output depends on; return whether there were any."""
        found = False
        for node in reversed(self.nodes):
            if not any(value is not None and value.is_used for value in node.outputs):
                self.remove(node)
                found = True
        unread = [value for value in self._constants if not value.is_used]
        self.forget_unused(unread)
        return found or bool(unread)

    def _link(self, node: Node, after: Optional[Node]) -> None:
        following = self._first if after is None else after._next
        node.graph, node._previous, node._next = self, after, following
        if after is None:
            self._first = node
        else:
            after._next = node
        if following is None:
            self._last = node
        else:
            following._previous = node

    def _unlink(self, node: Node) -> None:
        if node._previous is None:
            self._first = node._next
        else:
            node._previous._next = node._next
        if node._next is None:
            self._last = node._previous
        else:
            node._next._previous = node._previous
        node.graph = node._previous = node._next = None
