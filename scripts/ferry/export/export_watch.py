"""Watch PyTorch's exporter at work, to say of each trouble which operator and which line of the user's it is from."""

import contextlib
import os
import re
import sys
import warnings
from types import FrameType
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import torch
import torch.onnx.utils
from torch._C._onnx import OperatorExportTypes
from torch.onnx import symbolic_registry

from ferry.export import source_lines
from ferry.export.patches import replaced

_LIBRARY = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
# What makes tensors of a size that depends on values.
SHAPED_BY_VALUES = ("nonzero", "masked_select", "unique", "_unique2", "unique_consecutive", "unique_dim")
# How a tensor's value becomes Python's.
_READING = ("__bool__", "__int__", "__float__", "__index__", "item", "tolist", "numpy")
# Where a trace goes from a tensor to its shape, on which a converted model does not depend any more.
_SHAPE = ("aten::size", "prim::shape", "aten::dim", "aten::numel")


class Place(NamedTuple):
    """An operator, as PyTorch names it, and the line of Python that called it, as ``file:line``, or empty."""

    operator: str
    line: str


class Watch:
    """What was seen in one export."""

    def __init__(self) -> None:
        self.unsupported: List[Place] = []
        self.training: List[Place] = []
        self.shaped_by_values: List[Place] = []
        self.read_values: List[Place] = []
        self.in_place: List[Place] = []
        self.failed: Optional[Place] = None

    def symbolic(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The exporter's function for one operator; one that it lacks is noted, and passed over to find the others."""

        def run(graph, node, inputs, env, operator_export_type=OperatorExportTypes.ONNX):
            namespace, operator = node.kind().split("::")
            if namespace == "aten" and not _is_known(operator):
                self.unsupported.append(place(node))
                operator_export_type = OperatorExportTypes.ONNX_ATEN_FALLBACK
            try:
                made = original(graph, node, inputs, env, operator_export_type)
            except Exception:
                # The node is gone once the export has ended.
                self.failed = place(node)
                raise
            if operator in SHAPED_BY_VALUES:
                self.shaped_by_values.append(place(node))
            if isinstance(made, torch._C.Value) and _is_training(made.node()):
                self.training.append(place(node))
            return made

        return run

    def reading(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        """A method of tensors that hands a value to Python; noted if the value depends on the model's input."""

        def read(tensor, *arguments, **named):
            if torch._C._get_tracing_state() is not None and depends_on_values(tensor):
                self.read_values.append(Place(name, _line_of_caller()))
            return original(tensor, *arguments, **named)

        return read


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Watch the exports that are made inside."""
    watch = Watch()
    symbolic = watch.symbolic(torch.onnx.utils._run_symbolic_function)
    reading = {name: watch.reading(name, getattr(torch.Tensor, name)) for name in _READING}
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(replaced(torch.onnx.utils, _run_symbolic_function=symbolic))
            stack.enter_context(replaced(torch.Tensor, **reading))
            raised = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always")
            yield watch
    finally:
        for warning in raised or []:
            # The log is where they belong.
            sys.stderr.write(
                warnings.formatwarning(warning.message, warning.category, warning.filename, warning.lineno)
            )
            if "in-place operator" in str(warning.message):
                found = re.search(r"in-place operator (\w+)", str(warning.message))
                line = source_lines.Line(warning.filename, warning.lineno)
                watch.in_place.append(Place(found.group(1) if found else "", line.from_here))


def place(node: Any) -> Place:
    """Where ``node`` of a traced graph came from."""
    lines = source_lines.lines_in(node.sourceRange())
    return Place(node.kind().split("::")[-1], lines[0].from_here if lines else "")


def counted(places: List[Place]) -> List[Tuple[Place, int]]:
    """Each operator with the first line that called it and how often it was called, the most frequent first."""
    first: Dict[str, Place] = {}
    times: Dict[str, int] = {}
    for each in places:
        first.setdefault(each.operator, each)
        times[each.operator] = times.get(each.operator, 0) + 1
    return sorted(((first[name], times[name]) for name in first), key=lambda entry: (-entry[1], entry[0].operator))


def _is_known(operator: str) -> bool:
    from torch.onnx.symbolic_helper import _export_onnx_opset_version as version

    symbolic_registry.register_version("", version)
    # As the exporter looks for it: the last letter of add_ is not part of the name, nor that of __and__.
    name = operator[:-1] if operator.endswith("_") else operator
    return symbolic_registry.is_registered_op(name, "", version)


def _is_training(node: Any) -> bool:
    return node.kind() == "onnx::Dropout" or (node.kind() == "onnx::BatchNormalization" and node.outputsSize() > 1)


def depends_on_values(tensor: torch.Tensor) -> bool:
    """Whether a traced tensor follows from the model's input by more than its shape."""
    try:
        pending = [torch._C._get_value_trace(tensor).node()]
    except RuntimeError:
        # One that the trace has not seen being made is a constant.
        return False
    seen: Set[str] = set()
    while pending:
        node = pending.pop()
        if node.kind() == "prim::Param":
            return True
        if node.kind() in _SHAPE:
            continue
        for value in node.inputs():
            if value.debugName() not in seen:
                seen.add(value.debugName())
                pending.append(value.node())
    return False


def _line_of_caller() -> str:
    frame: Optional[FrameType] = sys._getframe(2)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_LIBRARY):
        frame = frame.f_back
    return "" if frame is None else source_lines.Line(frame.f_code.co_filename, frame.f_lineno).from_here
