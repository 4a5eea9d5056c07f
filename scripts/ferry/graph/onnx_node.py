"""How a message names an ONNX node, and the line of the user's model that it came from.

The export writes that line into the node's ``doc_string`` as ``file.py:12``, relative to the model's folder: a later
stage can name it, and the bytes do not depend on where that folder is.
"""

import re
from typing import NamedTuple

import onnx

# Other exporters write there what they like; only this is a line.
_LINE = re.compile(r"[^:\s\x00-\x1f][^:\x00-\x1f\x7f]{0,199}:[1-9]\d{0,8}")


class OnnxNode(NamedTuple):
    """A node's operator and name, and the user's line that it came from, as ``file.py:12``, empty if it is unknown."""

    operator: str
    name: str
    line: str

    @property
    def described(self) -> str:
        """The node as a message to the user names it."""
        line = f", from {self.line}" if self.line else ""
        return f"the ONNX operator {self.operator} (node {self.name or 'without a name'!r}{line})"


def described(node: onnx.NodeProto) -> str:
    """``node`` as a message to the user names it."""
    return OnnxNode(node.op_type, node.name, line_of(node)).described


def line_of(node: onnx.NodeProto) -> str:
    """The user's line that ``node`` came from, as ``file.py:12``, or an empty string."""
    text = node.doc_string
    return text if isinstance(text, str) and _LINE.fullmatch(text) else ""


def note_line(node: onnx.NodeProto, line: str) -> None:
    """Have ``node`` say that it came from ``line``; an empty one is not known."""
    if line:
        node.doc_string = line
    else:
        node.ClearField("doc_string")
