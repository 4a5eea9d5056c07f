"""Compute at build time whatever does not depend on the model's input.

PyTorch exports ``x.reshape(x.shape[0], -1)`` as int64 arithmetic on the shape of ``x``. TFLite's interpreter refuses
to add int64, so that arithmetic must be gone before TensorFlow sees the graph. Where shape inference knows a tensor's
shape the arithmetic is constant, and ONNX Runtime computes it, once, here.
"""

from typing import Dict, FrozenSet, List, Sequence, Set

import numpy as np
from onnx import numpy_helper

from ferry.graph import shapes
from ferry.graph.graph import Graph
from ferry.graph.node import Node, Value
from ferry.graph.passes.evaluate import evaluate
from ferry.graph.to_onnx import opset_imports

# Never constant, whatever their inputs are; or never constant arrays.
NEVER_CONSTANT = (
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Dropout",
    "SequenceConstruct", "SequenceEmpty", "SplitToSequence",
)  # fmt: skip
# The inputs whose values, not only their shapes, decide the shape of the result.
VALUE_INPUTS: Dict[str, Sequence[int]] = {
    "ConstantOfShape": (0,), "Expand": (1,), "OneHot": (1,), "Pad": (1,), "Range": (0, 1, 2), "Reshape": (1,),
    "Resize": (1, 2, 3), "Slice": (1, 2, 3, 4), "Tile": (1,), "TopK": (1,), "Upsample": (1,),
}  # fmt: skip
# A constant that is larger than all that it is computed from by more than this stays an operator: Expand, Tile,
# ConstantOfShape.
LARGEST_GROWTH_BYTES = 1 << 20
# A smaller constant is no reason to let another one grow.
SMALLEST_SOURCE_BYTES = 1 << 12


def fold_constants(graph: Graph) -> bool:
    """Replace every constant subgraph by an initializer; a ``Shape`` whose operand has a static shape is constant too.

    Of a subgraph that grows too large, the part that makes it grow stays, and what that part reads is folded.
    """
    changed = _fold_constant_nodes(graph)
    subgraphs = _ConstantSubgraphs(graph)
    for node in graph:
        subgraphs.visit(node)
    return subgraphs.fold() or subgraphs.changed or changed


def _fold_constant_nodes(graph: Graph) -> bool:
    changed = False
    for node in graph:
        tensor = node.attribute("value") if node.is_a("Constant") else None
        if tensor is not None:
            graph.fold(node.output, numpy_helper.to_array(tensor))
            changed = True
    return changed


class _ConstantSubgraphs:
    """The nodes that depend on constants alone, met in the graph's order.

    ``changed`` is whether anything was folded yet.
    """

    def __init__(self, graph: Graph):
        self.changed = False
        self._graph, self._opsets = graph, opset_imports(graph)
        # Each with its place in the order.
        self._nodes: Dict[Node, int] = {}
        # Of each value that such a node makes, the constants that it is computed from.
        self._sources: Dict[Value, FrozenSet[Value]] = {}
        # Of these more is known than shape inference knew when the graph was read.
        self._news: Set[Value] = set()
        # They stay operators: what they make is too large, or ONNX Runtime cannot compute it.
        self._large: Set[Node] = set()
        self._failed: Set[Node] = set()

    def visit(self, node: Node) -> None:
        """Take up ``node``, which comes behind all that it depends on."""
        if self._fold_shape(node):
            return
        values = [value for value in node.inputs if value is not None]
        if self._is_constant(node, values):
            self._nodes[node] = len(self._nodes)
            sources = frozenset().union(*(self._sources_of(value) for value in values))
            self._sources.update((value, sources) for value in node.outputs if value is not None)
        self._infer(node, values)

    def _fold_shape(self, node: Node) -> bool:
        source = node.input(0) if node.is_a("Shape", "Size") else None
        shape = source.static_shape if source is not None else None
        if shape is None:
            return False
        array = np.array(shape if node.operator == "Shape" else np.prod(shape, dtype=np.int64), np.int64)
        self._fold(node.output, array)
        return True

    def _is_constant(self, node: Node, values: List[Value]) -> bool:
        return (
            node.is_standard
            and node.operator not in NEVER_CONSTANT
            and not node.attributes.subgraphs()
            and all(value.is_constant or value in self._sources for value in values)
        )

    def _sources_of(self, value: Value) -> FrozenSet[Value]:
        if value in self._sources:
            return self._sources[value]
        return frozenset([value] if _bytes(value) >= SMALLEST_SOURCE_BYTES else [])

    def _infer(self, node: Node, values: List[Value]) -> None:
        """Infer the shapes of what ``node`` makes, if what was folded since the graph was read tells more of them."""
        if all(value is None or value.static_shape is not None for value in node.outputs):
            return
        deciding = [node.input(index) for index in VALUE_INPUTS.get(node.operator, ())]
        unknown = [value for value in deciding if value is not None and value in self._sources]
        self._compute(unknown)
        if not self._news.isdisjoint(values) and shapes.infer_node(node, self._opsets):
            self._news.update(value for value in node.outputs if value is not None)

    def _compute(self, values: List[Value]) -> None:
        """Fold ``values``, which are the shapes of others, and the small ones on the way to them."""
        nodes = self._nodes_behind(values)
        for value, array in evaluate(self._graph, nodes, self._failed).items():
            if array.nbytes <= LARGEST_GROWTH_BYTES:
                self._fold(value, array)

    def _nodes_behind(self, values: List[Value]) -> List[Node]:
        found: Set[Node] = set()
        open_nodes = [value.producer for value in values]
        while open_nodes:
            node = open_nodes.pop()
            if node is not None and node not in found:
                found.add(node)
                open_nodes.extend(value.producer for value in node.inputs if value is not None)
        return sorted(found, key=self._nodes.__getitem__)

    def _fold(self, value: Value, array: np.ndarray) -> None:
        self._graph.fold(value, array)
        self._sources.pop(value, None)
        self._news.add(value)
        self.changed = True

    def fold(self) -> bool:
        """Fold what the rest of the graph reads of the subgraphs, but for what is too large; return whether any was."""
        while True:
            wanted = self._wanted()
            nodes = self._nodes_behind(wanted)
            results = evaluate(self._graph, nodes, self._failed, wanted)
            large = [value for value, array in results.items() if self._is_too_large(value, array.nbytes)]
            if not large and len(results) == len(wanted):
                break
            self._large.update(value.producer for value in large if value.producer is not None)
        for value, array in results.items():
            self._fold(value, array)
        return bool(results)

    def _wanted(self) -> List[Value]:
        """What to fold: constant values that nodes which stay read, from the last to the first."""
        wanted: List[Value] = []
        for node in reversed(list(self._nodes)):
            read = [value for value in node.outputs if value is not None and self._is_read(value)]
            if any(self._is_too_large(value, _bytes(value)) for value in read):
                self._large.add(node)
            if not self._stays(node):
                wanted.extend(read)
        return wanted

    def _is_read(self, value: Value) -> bool:
        return value.is_pinned or any(self._stays(use.node) for use in value.uses)

    def _stays(self, node: Node) -> bool:
        return node not in self._nodes or node in self._large or node in self._failed

    def _is_too_large(self, value: Value, size: int) -> bool:
        return size > LARGEST_GROWTH_BYTES + sum(_bytes(source) for source in self._sources[value])


def _bytes(value: Value) -> int:
    """The bytes of a value; 0 if its shape or dtype is not known."""
    shape = value.static_shape
    return 0 if shape is None or value.dtype is None else int(np.prod(shape, dtype=np.int64)) * value.dtype.itemsize
