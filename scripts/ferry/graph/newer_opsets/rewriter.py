"""A graph while it is written anew in the terms of opset 12: what was written, and what is known of its tensors."""

from typing import Any, Dict, List, Optional, Sequence, Set

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE, TENSOR_TYPE_TO_NP_TYPE

from ferry.graph import onnx_node
from ferry.graph.newer_opsets import constant_values, tensor_types
from ferry.graph.newer_opsets.tensor_types import TensorType

# Inference reads shapes, axes and repeats; nothing larger than this is one.
LARGEST_SHAPE = 64


class Names:
    """The names that a model uses, so that a new one is unlike all of them."""

    def __init__(self, used: Set[str]):
        self._used = used
        self._counts: Dict[str, int] = {}
        self._nodes: Set[str] = set()

    def new(self, stem: str) -> str:
        """``stem``, or it with a number where it is taken."""
        name = stem
        while name in self._used:
            self._counts[stem] = self._counts.get(stem, 0) + 1
            name = f"{stem}_{self._counts[stem]}"
        self._used.add(name)
        return name

    def of_node(self, name: str) -> str:
        """``name``, or another where a node has it already: ONNX Runtime takes no two nodes of one name."""
        chosen = self.new(name) if name in self._nodes else name
        self._nodes.update({chosen} - {""})
        return chosen


class GraphRewriter:
    """The nodes and initializers written so far, of one graph; it may read what ``outer`` has made until now."""

    def __init__(self, names: Names, outer: Optional["GraphRewriter"] = None):
        self.names = names
        self.nodes: List[onnx.NodeProto] = []
        self.initializers: Dict[str, onnx.TensorProto] = {}
        # Which tensors a sequence holds, by its name.
        self.sequences: Dict[str, List[str]] = dict(outer.sequences) if outer else {}
        self._constants: Dict[str, onnx.TensorProto] = dict(outer._constants) if outer else {}
        self._types: Dict[str, TensorType] = dict(outer._types) if outer else {}
        self._producers: Dict[str, onnx.NodeProto] = dict(outer._producers) if outer else {}
        self._values: Dict[str, Optional[np.ndarray]] = dict(outer._values) if outer else {}
        self._declared: Dict[str, TensorType] = {}
        self._stem, self._line = "lowered", ""

    # What is known before anything is written.

    def declare_input(self, info: onnx.ValueInfoProto) -> None:
        """Note a graph input."""
        self._types[info.name] = tensor_types.of_value_info(info)

    def declare(self, info: onnx.ValueInfoProto) -> None:
        """Note what the model says of a tensor that is yet to be made."""
        self._declared[info.name] = tensor_types.of_value_info(info)

    def add_initializer(self, tensor: onnx.TensorProto) -> None:
        """Add a constant under its own name."""
        self.initializers[tensor.name] = self._constants[tensor.name] = tensor
        self._types[tensor.name] = TensorType(tensor.data_type, tuple(tensor.dims))

    # What lowerings write.

    def write_for(self, node: onnx.NodeProto) -> None:
        """Let what is written from here on be named after the first output of ``node``, and of the line that it is."""
        self._stem = (node.output[0] if node.output else "") or "lowered"
        self._line = onnx_node.line_of(node)

    def op(self, kind: str, inputs: Sequence[str], outputs: Optional[Sequence[str]] = None, **attributes: Any) -> str:
        """Write a node of opset 12; return the name of its first output, which is new unless ``outputs`` says it."""
        given = list(outputs) if outputs else [self.names.new(f"{self._stem}/{kind}")]
        self.emit(helper.make_node(kind, list(inputs), given, name=self.names.new(f"{given[0]}/node"), **attributes))
        return given[0]

    def constant(self, array: Any, dtype: Any = None) -> str:
        """Write an initializer; return its name."""
        name = self.names.new(f"{self._stem}/constant")
        self.add_initializer(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def scalar(self, value: float, like: str) -> str:
        """A constant of no dimensions, of the dtype of the tensor ``like``, float32 where that is not known."""
        return self.constant_like(np.array(value), like)

    def constant_like(self, array: np.ndarray, like: str) -> str:
        """A constant of the dtype of the tensor ``like``, float32 where that is not known."""
        return self.constant(array.astype(self.dtype(like) or np.dtype(np.float32)))

    def emit(self, node: onnx.NodeProto) -> None:
        """Write a node that is in the terms of opset 12."""
        node.name = self.names.of_node(node.name)
        onnx_node.note_line(node, onnx_node.line_of(node) or self._line)
        self.nodes.append(node)
        for output in node.output:
            self._producers[output] = node
        read = tensor_types.names_read(node)
        known = {name: self.type_of(name) for name in read}
        values = {}
        for name in read:
            if self._may_be_a_shape(known[name]):
                value = self.value(name)
                if value is not None and value.size <= LARGEST_SHAPE:
                    values[name] = value
                    known[name] = TensorType(known[name].element, value.shape)
        inferred = tensor_types.of_outputs(node, known, values)
        for output in node.output:
            if output:
                made = inferred.get(output, TensorType())
                self._types[output] = made.or_else(self._declared.get(output, TensorType()))

    @staticmethod
    def _may_be_a_shape(known: TensorType) -> bool:
        return known.element == onnx.TensorProto.INT64 and (known.shape is None or len(known.shape) <= 1)

    # What lowerings ask.

    def type_of(self, name: str) -> TensorType:
        """What is known of the tensor ``name``."""
        return self._types.get(name, TensorType())

    def dtype(self, name: str) -> Optional[np.dtype]:
        """The dtype of the tensor ``name``, None if it is not known."""
        found = TENSOR_TYPE_TO_NP_TYPE.get(self.type_of(name).element)
        return found if self.type_of(name).element else None

    def value(self, name: str) -> Optional[np.ndarray]:
        """The value of the tensor ``name``, None if it depends on the values of an input."""
        if name not in self._values:
            self._values[name] = constant_values.evaluate(name, self._producers, self._constants, self._types)
        return self._values[name]


def element_of(dtype: Any) -> int:
    """The ``TensorProto.DataType`` of a NumPy dtype."""
    return int(NP_TYPE_TO_TENSOR_TYPE[np.dtype(dtype)])
