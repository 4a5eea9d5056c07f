"""Which integers an input may hold, by the tables that an ONNX graph reads with it."""

from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np
import onnx
from onnx import numpy_helper

from ferry.graph import onnx_file
from ferry.graph.attributes import attribute
from ferry.graph.shapes import static_shapes
from ferry.graph.subgraphs import inputs_of
from ferry.verify.integer_span import IndexRange

# What is still the index, or a part of it.
PASSES_ON = {
    "Cast", "Clip", "Dropout", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Slice", "Split", "Squeeze",
    "Tile", "Transpose", "Unsqueeze",
}  # fmt: skip
# Any of their operands, from this one on, may be it.
JOINS = {"Concat": 0, "Max": 0, "Min": 0, "Where": 1}
# What comes out is in a range of its own, whatever goes in.
BOUNDED = {
    "And", "ArgMax", "ArgMin", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mod", "NonZero", "Not",
    "Or", "Shape", "Size", "TopK", "Xor",
}  # fmt: skip
INTEGERS = {onnx.TensorProto.INT32, onnx.TensorProto.INT64}


class _Offset(NamedTuple):
    """An index that is the graph input ``name`` plus something between ``low`` and ``high``."""

    name: str
    low: int
    high: int


def of_file(path: str) -> List[Optional[IndexRange]]:
    """``index_ranges`` of the ONNX model in ``path``.

    Raises:
        FerryError: it cannot be read.
    """
    return index_ranges(onnx_file.load(path))


def index_ranges(model: onnx.ModelProto) -> List[Optional[IndexRange]]:
    """For each input of ``model``, in order, the integers that every table read with it has a row for.

    It is ``None`` where no table is read with it, or where it is not plain which rows are. An input of floats counts
    where it is read as integers alone.
    """
    indices = _Indices(model)
    found: Dict[str, IndexRange] = {}
    for offset, rows in indices.read():
        known = found.get(offset.name, IndexRange(0, 2**31 - 1))
        lowest, highest = max(known.lowest, -offset.low), min(known.highest, rows - 1 - offset.high)
        found[offset.name] = IndexRange(lowest, highest)
    ranges = {name: each for name, each in found.items() if name not in indices.unclear and each.lowest < each.highest}
    return [
        ranges.get(info.name)
        if info.type.tensor_type.elem_type in INTEGERS or indices.is_read_as_integers(info.name)
        else None
        for info in indices.inputs
    ]


class _Indices:
    """The indices that ``model`` reads rows by. ``unclear`` are the inputs that one hangs on in another way."""

    def __init__(self, model: onnx.ModelProto):
        self._nodes = list(model.graph.node)
        self._made_by = {name: node for node in self._nodes for name in node.output}
        self._weights = {entry.name: entry for entry in model.graph.initializer}
        self._shapes = static_shapes(model)
        self._offsets: Dict[str, Set[_Offset]] = {}
        self.inputs = [info for info in model.graph.input if info.name not in self._weights]
        self._input_names = {info.name for info in self.inputs}
        self.unclear: Set[str] = set()

    def read(self) -> Iterator[Tuple[_Offset, int]]:
        """Each index that is computed from an input, with how many rows it picks from."""
        for node in self._nodes:
            rows = self._rows(node)
            if rows is not None:
                for offset in self._offsets_of(node.input[0] if node.op_type == "OneHot" else node.input[1]):
                    yield offset, rows

    def is_read_as_integers(self, name: str) -> bool:
        """Whether all that reads the input makes integers of it first."""
        readers = [node for node in self._nodes if name in inputs_of(node)]
        return bool(readers) and all(node.op_type == "Cast" and attribute(node, "to") in INTEGERS for node in readers)

    def _rows(self, node: onnx.NodeProto) -> Optional[int]:
        if node.op_type in ("Gather", "GatherElements"):
            shape = self._shapes.get(node.input[0])
            return shape[attribute(node, "axis", 0)] if shape else None
        if node.op_type == "OneHot":
            depth = self._constant(node.input[1])
            return int(depth.ravel()[0]) if depth is not None else None
        return None

    def _offsets_of(self, name: str) -> Set[_Offset]:
        if name not in self._offsets:
            self._offsets[name] = set(self._found(name))
        return self._offsets[name]

    def _found(self, name: str) -> Iterable[_Offset]:
        if name in self._input_names:
            return [_Offset(name, 0, 0)]
        node = self._made_by.get(name)
        if node is None or node.op_type in BOUNDED:
            return []
        if node.op_type in PASSES_ON:
            return self._offsets_of(node.input[0])
        if node.op_type in JOINS:
            return set().union(*map(self._offsets_of, node.input[JOINS[node.op_type] :]))
        moved = self._moved(node) if node.op_type in ("Add", "Sub") else None
        if moved is None:
            self.unclear |= self._behind(name)
        return moved or []

    def _moved(self, node: onnx.NodeProto) -> Optional[List[_Offset]]:
        """The offsets of a sum of an index and a constant; ``None`` if it is none."""
        index, other = node.input
        if node.op_type == "Add" and self._constant(index) is not None:
            index, other = other, index
        constant = self._constant(other)
        if constant is None or not constant.size:
            return None
        low, high = int(np.floor(constant.min())), int(np.ceil(constant.max()))
        if node.op_type == "Sub":
            low, high = -high, -low
        return [_Offset(each.name, each.low + low, each.high + high) for each in self._offsets_of(index)]

    def _behind(self, name: str) -> Set[str]:
        """The inputs whose size decides that of the tensor ``name``."""
        found, needed, met = set(), [name], {name}
        while needed:
            each = needed.pop()
            if each in self._input_names:
                found.add(each)
            node = self._made_by.get(each)
            if node is not None and node.op_type not in BOUNDED:
                new = inputs_of(node) - met
                met |= new
                needed.extend(new)
        return found

    def _constant(self, name: str) -> Optional[np.ndarray]:
        """The value of a tensor that is the same for every input, as far as that is plain to see."""
        if name in self._weights:
            return np.asarray(numpy_helper.to_array(self._weights[name]))
        node = self._made_by.get(name)
        if node is not None and node.op_type == "Constant" and attribute(node, "value") is not None:
            return np.asarray(numpy_helper.to_array(attribute(node, "value")))
        return self._constant(node.input[0]) if node is not None and node.op_type in PASSES_ON else None
