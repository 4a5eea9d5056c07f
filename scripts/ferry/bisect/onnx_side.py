"""An ONNX model taken apart: every tensor of it, and any piece of it alone, in ONNX Runtime."""

import tempfile
from typing import Callable, Dict, Iterable, List, Sequence, Set, Union

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.mapping import NP_TYPE_TO_TENSOR_TYPE

from ferry.bisect.side import Point, Reference, Side, Values
from ferry.graph import onnx_pieces
from ferry.graph.shapes import element_types
from ferry.graph.subgraphs import inputs_of


class OnnxSide(Side, Reference):
    """The parts of ``model``. Every tensor that depends on an input's values is a point."""

    def __init__(self, model: onnx.ModelProto):
        self.model = model
        graph = model.graph
        self._weights = {entry.name: entry for entry in graph.initializer}
        self.producer = {name: node for node in graph.node for name in node.output if name}
        self.inputs = [Point(info.name, info.name) for info in graph.input if info.name not in self._weights]
        variable = {point.name for point in self.inputs}
        self.points = []
        for node in graph.node:
            # Shapes are static: what follows from one is no tensor of the network.
            if node.op_type == "Shape" or variable.isdisjoint(inputs_of(node)):
                continue
            made = [name for name in node.output if name]
            variable.update(made)
            self.points.extend(Point(name, name) for name in made)
        self._types = element_types(model)

    def sources(self, point: Point, known: Set[Point]) -> List[Point]:
        names = {entry.name for entry in known}
        return [Point(name, name) for name in self._walk(point.name, names)[1]]

    def region(self, name: str, known: Iterable[str]) -> List[onnx.NodeProto]:
        """The nodes between the ``known`` tensors and ``name``, in the model's order."""
        return self._walk(name, set(known))[0]

    def compute(self, point: Point, values: Dict[Point, np.ndarray]) -> np.ndarray:
        return self.opened(point, sorted(values))(values)

    def opened(self, point: Point, sources: Sequence[Point]) -> Callable[[Dict[Point, np.ndarray]], np.ndarray]:
        session: List[onnxruntime.InferenceSession] = []

        def compute(values: Dict[Point, np.ndarray]) -> np.ndarray:
            given = {entry.name: array for entry, array in values.items()}
            nodes, read = self._walk(point.name, set(given))
            arrays = {name: self._typed(name, given[name]) for name in read}
            if not session:
                session.append(_session(self._piece(nodes, point.name, arrays).SerializeToString()))
            return np.asarray(session[0].run([point.name], arrays)[0])

        return compute

    def _piece(self, nodes: List[onnx.NodeProto], output: str, arrays: Dict[str, np.ndarray]) -> onnx.ModelProto:
        graph = helper.make_graph(
            nodes,
            "piece",
            [
                helper.make_tensor_value_info(name, NP_TYPE_TO_TENSOR_TYPE[array.dtype], array.shape)
                for name, array in arrays.items()
            ],
            [helper.ValueInfoProto(name=output)],
            [self._weights[name] for name in _read(nodes) if name in self._weights],
        )
        piece = helper.make_model(graph, opset_imports=self.model.opset_import)
        piece.ir_version = self.model.ir_version
        return piece

    def values(self, names: Iterable[str], inputs: Values) -> Values:
        wanted = sorted(set(names))
        made = {name: inputs[name] for name in wanted if name in inputs}
        rest = [name for name in wanted if name not in made]
        if not rest:
            return made
        fed = {point.name: inputs[point.name] for point in self.inputs}
        outputs = self.model.graph.output
        declared = [info.name for info in outputs]
        # A copy of the model would be one more of its weights.
        outputs.extend(helper.ValueInfoProto(name=name) for name in rest if name not in declared)
        try:
            made.update(zip(rest, _run(self.model, rest, fed)))
        finally:
            del outputs[len(declared) :]
        return made

    def described(self, point: Point) -> str:
        node = self.producer[point.name]
        return f"{node.op_type} {node.name}".strip()

    def _walk(self, name: str, known: Set[str]):
        """The nodes from ``known`` to ``name`` and the known tensors they read, each in the model's order."""
        needed, sources, seen = [name], [], {name}
        nodes = set()
        while needed:
            node = self.producer.get(needed.pop())
            if node is None:
                continue
            nodes.add(node.output[0])
            for read in sorted(inputs_of(node) - seen):
                seen.add(read)
                if read in known:
                    sources.append(read)
                else:
                    needed.append(read)
        return [node for node in self.model.graph.node if node.output[0] in nodes], sorted(sources)

    def _typed(self, name: str, array: np.ndarray) -> np.ndarray:
        kind = self._types.get(name)
        return array if kind is None else array.astype(kind, copy=False)


def _read(nodes: List[onnx.NodeProto]) -> List[str]:
    return sorted({name for node in nodes for name in inputs_of(node)})


def _run(model: onnx.ModelProto, names: List[str], feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
    # ONNX Runtime reads a file a piece at a time; a model's bytes would be one more copy of its weights.
    with tempfile.NamedTemporaryFile(prefix="ferry-", suffix=".onnx") as file:
        for piece in onnx_pieces.pieces(model):
            file.write(piece)
        file.flush()
        return [np.asarray(array) for array in _session(file.name).run(names, feeds)]


def _session(model: Union[str, bytes]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options)
