"""An ONNX node as a lowering reads it."""

from typing import Any, Dict, List, Optional

import onnx

from ferry.graph import schema


class Node:
    """A node's operator, the names of its inputs and outputs, and its attributes as Python values.

    ``attributes`` holds also those that the file leaves to the default that the schema of the model's operator set
    gives; text is ``str``, and tensors and graphs are ONNX's own messages.
    """

    def __init__(self, proto: onnx.NodeProto, opset: int):
        self.operator: str = proto.op_type
        self.name: str = proto.name
        self.inputs: List[str] = list(proto.input)
        self.outputs: List[str] = list(proto.output)
        given = {entry.name: schema.python_value(entry) for entry in proto.attribute}
        self.attributes: Dict[str, Any] = {**schema.defaults(proto.op_type, opset), **given}

    def input(self, position: int) -> Optional[str]:
        """The name of the input at ``position``; ``None`` where the node leaves it out."""
        return self.inputs[position] or None if position < len(self.inputs) else None
