"""The ONNX nodes that a piece stands for, in float64, and what its probes depend on."""

from typing import Dict, Iterable, List, Set

import numpy as np
import onnx

from ferry.bisect.onnx_side import OnnxSide
from ferry.bisect.side import Values
from ferry.evaluate.bounded import Bounded
from ferry.evaluate.graph import Evaluator
from ferry.evaluate.operators.activation import FUNCTIONS
from ferry.evaluate.operators.arithmetic import BINARY
from ferry.evaluate.operators.comparison import COMPARISONS, LOGIC
from ferry.evaluate.operators.elementwise import EXPONENTIAL, MONOTONE, PERIODIC, STEPS
from ferry.graph.attributes import attribute
from ferry.graph.shapes import static_shapes
from ferry.graph.subgraphs import inputs_of
from ferry.verify.pieces.probes import MANY_POSITIONS, Request

# Where an operator reads indices or shapes, which must stay what the network makes them.
INDEX_INPUTS: Dict[str, List[int]] = {
    "ConstantOfShape": [0], "CumSum": [1], "Expand": [1], "Gather": [1], "GatherElements": [1], "GatherND": [1],
    "GRU": [4], "LSTM": [4], "OneHot": [0, 1], "Pad": [1], "Range": [0, 1, 2], "Reshape": [1], "Resize": [1, 2, 3],
    "ReverseSequence": [1], "RNN": [4], "Scatter": [1], "ScatterElements": [1], "ScatterND": [1],
    "Slice": [1, 2, 3, 4], "Tile": [1], "TopK": [1], "Upsample": [1], "NonZero": [0], "Compress": [1],
}  # fmt: skip
ELEMENTWISE = {
    *BINARY, *COMPARISONS, *EXPONENTIAL, *FUNCTIONS, *LOGIC, *MONOTONE, *PERIODIC, *STEPS, "Abs", "BatchNormalization",
    "Cast", "Clip", "Concat", "Constant", "DepthToSpace", "Dropout", "Expand", "Flatten", "Identity", "Max", "Mean",
    "Min", "Mod", "Neg", "Not", "PRelu", "Pad", "Pow", "Reshape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Sum",
    "Tan", "Tile", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
# Long sums of what they are given, as it is.
WITHOUT_WEIGHTS = {
    "GlobalAveragePool", "InstanceNormalization", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceMean", "ReduceSum",
    "ReduceSumSquare",
}  # fmt: skip
# An index that goes through these is still that index.
PASSES_ON = {"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}


class Regions:
    """The pieces of ``model``, evaluated."""

    def __init__(self, model: onnx.ModelProto):
        self.side = OnnxSide(model)
        self._evaluator = Evaluator(model)
        self._weights = {entry.name: list(entry.dims) for entry in model.graph.initializer}
        self._twins = _twins(model)

    def values(self, names: Iterable[str], inputs: Values) -> Values:
        """The tensors ``names`` on the network's ``inputs``, in float64 and rounded to what a runtime holds."""
        wanted = sorted(set(names))
        made = self._evaluator.evaluate(self.side.model.graph.node, inputs, wanted, bounds=False)
        return {name: narrowed(bounded.value) for name, bounded in made.items()}

    def exact(self, names: Iterable[str], values: Values, without: List[onnx.NodeProto]) -> Values:
        """The tensors ``names``, floats in float64 as they are, where ``values`` are given.

        These are the network's inputs and all that the nodes ``without``, which are left out, would make.
        """
        left_out = {node.output[0] for node in without}
        nodes = [node for node in self.side.model.graph.node if node.output[0] not in left_out]
        made = self._evaluator.evaluate(nodes, values, sorted(set(names)), bounds=False)
        return {name: bounded.value for name, bounded in made.items()}

    def applied(self, node: onnx.NodeProto, values: Values) -> Values:
        """What ``node`` alone makes of ``values``."""
        made = self._evaluator.evaluate([node], values, [name for name in node.output if name], bounds=False)
        return {name: bounded.value for name, bounded in made.items()}

    def sizes(self) -> Dict[str, int]:
        """The sizes of the tensors in bytes, as float32, by name."""
        return {name: 4 * int(np.prod(shape)) for name, shape in static_shapes(self.side.model).items()}

    def expected(self, name: str, values: Values) -> Bounded:
        """The tensor ``name`` computed from ``values``, with its bound.

        Raises:
            NotEvaluatedError: an operator is not known, or ``values`` are not all that it is computed from.
        """
        values = self._with_twins(values)
        if name in values:
            held = values[name]
            return Bounded(held.astype(np.float64) if held.dtype.kind == "f" else held)
        return self._evaluator.evaluate(self.side.region(name, values), values, [name])[name]

    def unread(self, name: str, sources: Iterable[str]) -> Set[str]:
        """Those of the ``sources`` that the ONNX nodes which make ``name`` do not read.

        A converted model may have them read something that is computed twice in ONNX.
        """
        given = set(sources)
        if name in given:
            return given - {name}
        read: Set[str] = set()
        for node in self.side.region(name, self._with_twins(dict.fromkeys(given, np.zeros(0)))):
            read |= inputs_of(node)
        return {source for source in given if read.isdisjoint(self._twins.get(source, [source]))}

    def completed(self, values: Values, unread: Set[str]) -> Values:
        """``values`` with those that are ``unread`` computed from the others.

        Raises:
            NotEvaluatedError: they are computed from something else.
        """
        read = {name: array for name, array in values.items() if name not in unread}
        return {**read, **{name: narrowed(self.expected(name, read).value) for name in unread}}

    def _with_twins(self, values: Values) -> Values:
        """``values`` under the names, too, of tensors that another node makes the same of the same."""
        return {twin: array for name, array in values.items() for twin in self._twins.get(name, [name])}

    def request(self, name: str, seen: Values, size: int) -> Request:
        """What the probes of the piece from ``seen`` to ``name``, a tensor of ``size`` elements, depend on."""
        nodes = [] if name in seen else self.side.region(name, seen)
        made_by = {output: node for node in nodes for output in node.output}
        fixed: Set[str] = set()
        tables: Dict[str, int] = {}
        for node in nodes:
            for position in INDEX_INPUTS.get(node.op_type, []):
                if position < len(node.input):
                    fixed |= _sources_of(node.input[position], made_by, set(seen))
            if node.op_type == "Gather" and node.input[0] in self._weights:
                source = _passed_on(node.input[1], made_by)
                if source in seen and seen[source].dtype.kind in "iu":
                    tables[source] = self._weights[node.input[0]][attribute(node, "axis", 0)]
        terms, makes = self._longest_sum(nodes, seen)
        positions = max(size // makes, 1) if makes > 0 else MANY_POSITIONS * terms
        alone = all(node.op_type in ELEMENTWISE for node in nodes)
        return Request(seen, fixed, tables, terms, positions, alone)

    def _longest_sum(self, nodes: List[onnx.NodeProto], seen: Values) -> List[int]:
        """How many terms the longest sum has, and how many of them each place of the output has."""
        found = [0, 1]
        for node in nodes:
            shapes = [self._weights.get(name) for name in node.input]
            second = shapes[1] if len(shapes) > 1 else None
            if node.op_type == "Conv" and second:
                sums = [int(np.prod(second[1:])), second[0]]
            elif node.op_type == "ConvTranspose" and second:
                sums = [int(second[0] * np.prod(second[2:])), second[1] * attribute(node, "group", 1)]
            elif node.op_type == "Gemm" and second:
                sums = second[::-1] if attribute(node, "transB", 0) else second
            elif node.op_type == "MatMul":
                sums = second[-2:] if second else [max(array.shape[-1] for array in seen.values() if array.ndim), 1]
            elif node.op_type in ("GRU", "LSTM", "RNN") and second and shapes[2]:
                sums = [second[2] + shapes[2][2], second[1]]
            elif node.op_type in WITHOUT_WEIGHTS:
                # No weight is to be met, and one probe does.
                sums = [max((array.size for array in seen.values()), default=0), -1]
            else:
                continue
            found = max(found, [int(each) for each in sums])
        return found


def _twins(model: onnx.ModelProto) -> Dict[str, List[str]]:
    """The tensors that are one, since nodes with the same attributes make them of the same: each with all of its kind.

    A converter keeps one of them.
    """
    first: Dict[bytes, onnx.NodeProto] = {}
    same: Dict[str, str] = {}
    for node in model.graph.node:
        alike = onnx.NodeProto(op_type=node.op_type, domain=node.domain)
        alike.input.extend(same.get(name, name) for name in node.input)
        alike.attribute.extend(sorted(node.attribute, key=lambda entry: entry.name))
        other = first.setdefault(alike.SerializeToString(deterministic=True), node)
        if other is not node and len(other.output) == len(node.output):
            same.update(zip(node.output, other.output))
    found: Dict[str, List[str]] = {}
    for name, original in same.items():
        found.setdefault(original, [original]).append(name)
    return {name: names for names in found.values() for name in names}


def narrowed(array: np.ndarray) -> np.ndarray:
    """``array`` as a runtime holds it: floats in float32."""
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _sources_of(name: str, made_by: Dict[str, onnx.NodeProto], sources: Set[str]) -> Set[str]:
    found, needed, met = set(), [name], {name}
    while needed:
        each = needed.pop()
        if each in sources:
            found.add(each)
        elif each in made_by:
            new = inputs_of(made_by[each]) - met
            met |= new
            needed.extend(new)
    return found


def _passed_on(name: str, made_by: Dict[str, onnx.NodeProto]) -> str:
    while name in made_by and made_by[name].op_type in PASSES_ON:
        name = made_by[name].input[0]
    return name
