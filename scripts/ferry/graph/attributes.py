"""A node's attributes as Python values."""

from typing import Any, Dict, Iterable, Iterator, List, MutableMapping

import onnx
from onnx import helper


class Attributes(MutableMapping[str, Any]):
    """Maps the names of a node's attributes to ints, floats, bytes, lists of these, tensors or subgraphs.

    An attribute that nobody sets is written back exactly as it was read: ONNX tells an empty list of ints from an empty
    list of floats, and Python does not. A list is not to be changed in place: set the attribute again.
    """

    def __init__(self, protos: Iterable[onnx.AttributeProto] = (), **values: Any):
        self._protos: Dict[str, onnx.AttributeProto] = {}
        self._values: Dict[str, Any] = {}
        for entry in protos:
            # A message that is part of another keeps all of that in memory.
            self._protos[entry.name] = copy = onnx.AttributeProto()
            copy.CopyFrom(entry)
        self.update(values)

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = helper.get_attribute_value(self._protos[name])
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._protos[name] = helper.make_attribute(name, value)
        self._values.pop(name, None)

    def __delitem__(self, name: str) -> None:
        del self._protos[name]
        self._values.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._protos)

    def __len__(self) -> int:
        return len(self._protos)

    def to_onnx(self) -> List[onnx.AttributeProto]:
        """The attributes as ONNX keeps them, in the order in which they were read or first set."""
        return list(self._protos.values())

    def copy(self) -> "Attributes":
        """A copy of the attributes, which can be changed alone."""
        return Attributes(self._protos.values())

    def subgraphs(self) -> List[onnx.GraphProto]:
        """The graphs inside the node, as If, Loop and Scan have them."""
        return [
            graph
            for entry in self._protos.values()
            for graph in ([entry.g] if entry.HasField("g") else list(entry.graphs))
        ]


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    """The value of the attribute ``name`` of a node of ONNX, or ``default`` where it has none of that name."""
    return next((helper.get_attribute_value(entry) for entry in node.attribute if entry.name == name), default)
