"""Which line of the user's each node of an exported model came from."""

import os
import re
import sys
from typing import Dict, Iterable, List, NamedTuple

import onnx
import torch

from ferry.graph import onnx_node
from ferry.graph.subgraphs import subgraphs

# A frame of a trace, as the tracer writes it, and one of a scripted function, as its compiler does.
_FRAME = re.compile(r'^(.+)\((\d+)\): |^\s*File "(.+)", line (\d+)', re.MULTILINE)
_LIBRARY = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
# What called the exporter is no part of the model.
_EXPORTER = os.path.join(_LIBRARY, "onnx", "utils.py")
_FERRY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


class Line(NamedTuple):
    """A line of Python: the ``file`` as the interpreter names it, and its ``number``."""

    file: str
    number: int

    @property
    def from_here(self) -> str:
        """The line for a message: its file relative to the working directory where it lies below that."""
        return f"{shown(self.file)}:{self.number}"

    @property
    def from_its_folder(self) -> str:
        """The line wherever the model lies: its file relative to the folder that it is imported from.

        That is the model's folder, which is searched for modules as long as the model is loaded, or a package's. Of a
        file in none of them it is the name alone.
        """
        path = os.path.abspath(self.file)
        folders = [os.path.join(os.path.abspath(folder), "") for folder in sys.path]
        folder = max(filter(path.startswith, folders), key=len, default=os.path.join(os.path.dirname(path), ""))
        name = path[len(folder) :].encode(errors="backslashreplace").decode()
        return f"{name}:{self.number}"


def shown(file: str) -> str:
    """``file`` relative to the working directory where it lies below that."""
    relative = os.path.relpath(file)
    return file if relative.startswith(os.pardir) else relative


def lines_in(stack: str) -> List[Line]:
    """The lines of ``stack`` that are neither PyTorch's nor Ferry's own, the innermost first."""
    found = []
    for traced, number, scripted, its_number in _FRAME.findall(stack):
        path = os.path.abspath(traced or scripted)
        if path == _EXPORTER:
            break
        if not path.startswith((_LIBRARY, _FERRY)):
            found.append(Line(traced or scripted, int(number or its_number)))
    return found


def note_lines(model: onnx.ModelProto) -> Dict[str, str]:
    """Put the user's line at each node of ``model`` in place of the exporter's own notes, which are whole stacks.

    Returns:
        The lines by the nodes' names, for messages. A node that follows from no line of the user's has none.
    """
    found: Dict[str, str] = {}
    _note_in(model.graph.node, found)
    return found


def _note_in(nodes: Iterable[onnx.NodeProto], found: Dict[str, str]) -> None:
    # The exporter notes the stack at the node that a traced operator's value comes from. The nodes before it, back to
    # that of the operator before, are of the same line.
    lines: List[Line] = []
    for node in reversed(list(nodes)):
        if node.doc_string:
            lines = lines_in(node.doc_string)
        onnx_node.note_line(node, lines[0].from_its_folder if lines else "")
        if lines:
            found[node.name] = lines[0].from_here
        for graph in subgraphs(node):
            _note_in(graph.node, found)
