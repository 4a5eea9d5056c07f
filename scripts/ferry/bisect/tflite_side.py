"""A ``.tflite`` taken apart: any run of its operators as a model of its own."""

from typing import Callable, Dict, List, Sequence, Set, Tuple

import numpy as np
import tensorflow as tf
import tflite as schema

from ferry.bisect.layout import Place
from ferry.bisect.side import Point, Side
from ferry.bisect.tensorflow_side import PASSES_ON
from ferry.tflite import flatbuffer
from ferry.tflite.cut import cut

# The converter joins the names of operators that it made one of, most often the last of them first.
JOINT = ";"
MOVES_DATA = ("RESHAPE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "PACK", "UNPACK", "CONCATENATION", "SPLIT", "GATHER")


class TfliteSide(Side):
    """The parts of the model in ``data``.

    A tensor is known by the name of the TensorFlow operator that made it, where it kept that and its shape.

    Args:
        data: the TFLite model.
        graph: the TensorFlow graph it was converted from.
        found: where each ONNX tensor is in ``graph``.
    """

    certain = False

    def __init__(self, data: bytes, graph: tf.Graph, found: Dict[str, List[Place]]):
        self._data = data
        self._model = schema.Model.GetRootAsModel(data, 0)
        self._graph = self._model.Subgraphs(0)
        self._reads: List[List[int]] = []
        self._maker: Dict[int, int] = {}
        for position in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(position)
            self._reads.append([operator.Inputs(each) for each in range(operator.InputsLength())])
            self._maker.update({operator.Outputs(each): position for each in range(operator.OutputsLength())})
        self._places: Dict[Point, Place] = {}
        self._points_at: Dict[int, Point] = {}
        self.inputs, self.points = [], []
        fed = {self._graph.Inputs(each) for each in range(self._graph.InputsLength())}
        self._index: Dict[str, int] = {}
        self._whole: Dict[Point, List[int]] = {}
        known = {
            tensor.op.name for forms in found.values() for place in forms for tensor in _same_value(graph, place.tensor)
        }
        made_in = {operator.name: place for place, operator in enumerate(graph.get_operations())}
        # A constant may bear the same joint name.
        for position in sorted(fed | set(self._maker)):
            joint = self._graph.Tensors(position).Name().decode().split(JOINT)
            self._index.setdefault(_operator_of(joint, known, made_in), position)
        for name, forms in found.items():
            for place in forms:
                self._add(name, place, graph, fed)
        self.points.sort(key=lambda point: self._maker[self._index[point.where]])

    def _add(self, name: str, place: Place, graph: tf.Graph, fed: Set[int]) -> None:
        for tensor in _same_value(graph, place.tensor):
            position = self._index.get(tensor.op.name)
            # Of an operator with several outputs any may bear its name.
            if position is None or position in self._points_at or len(tensor.op.outputs) > 1:
                continue
            entry = self._graph.Tensors(position)
            shape = [entry.Shape(axis) for axis in range(entry.ShapeLength())]
            if not tensor.shape.is_fully_defined() or not self._holds(position, shape, tensor.shape.as_list()):
                continue
            point = Point(name, tensor.op.name)
            self._whole[point] = tensor.shape.as_list()
            self._places[point], self._points_at[position] = place, point
            (self.inputs if position in fed else self.points).append(point)
            return

    def _holds(self, position: int, shape: List[int], whole: List[int]) -> bool:
        """Whether a tensor of this ``shape`` can be the one that TensorFlow makes with the shape ``whole``.

        TFLite multiplies matrices, and drops a Reshape around that: it then has rows of the last axis, in the same
        order. What the converter moves data with on the way to an operator may bear that one's name, in another shape.
        """
        if shape == whole or position not in self._maker:
            return shape == whole
        is_matrix = len(whole) > 2 and shape == [int(np.prod(whole[:-1])), whole[-1]]
        return is_matrix and self._kind(self._maker[position]) not in MOVES_DATA

    def _kind(self, operator: int) -> str:
        return flatbuffer.operator_name(self._model, self._graph.Operators(operator))

    def sources(self, point: Point, known: Set[Point]) -> List[Point]:
        return [self._points_at[position] for position in self._walk(self._index[point.where], known)[1]]

    def compute(self, point: Point, values: Dict[Point, np.ndarray]) -> np.ndarray:
        return self.opened(point, sorted(values))(values)

    def opened(self, point: Point, sources: Sequence[Point]) -> Callable[[Dict[Point, np.ndarray]], np.ndarray]:
        target = self._index[point.where]
        operators, fed = self._walk(target, set(sources))
        interpreter = tf.lite.Interpreter(model_content=cut(self._data, operators, fed, [target]))
        interpreter.allocate_tensors()
        wanted = {detail["index"]: detail for detail in interpreter.get_input_details()}

        def compute(values: Dict[Point, np.ndarray]) -> np.ndarray:
            # An operator with a state keeps it from one run to the next.
            interpreter.reset_all_variables()
            for position in fed:
                source = self._points_at[position]
                raw = np.ascontiguousarray(self._places[source].from_onnx(values[source]), wanted[position]["dtype"])
                interpreter.set_tensor(position, raw.reshape(wanted[position]["shape"]))
            interpreter.invoke()
            return self._places[point].to_onnx(interpreter.get_tensor(target).reshape(self._whole[point]))

        return compute

    def described(self, point: Point) -> str:
        position = self._maker[self._index[point.where]]
        return f"{self._kind(position)}, operator {position}"

    def _walk(self, target: int, known: Set[Point]) -> Tuple[List[int], List[int]]:
        """The operators from ``known`` to the tensor ``target``, and the known tensors they read, by position."""
        stops = {self._index[point.where] for point in known}
        operators, sources, needed, seen = set(), set(), [target], {target}
        while needed:
            position = self._maker.get(needed.pop())
            if position is None:
                continue
            operators.add(position)
            for read in self._reads[position]:
                if read < 0 or read in seen:
                    continue
                seen.add(read)
                if read in stops:
                    sources.add(read)
                else:
                    needed.append(read)
        return sorted(operators), sorted(sources)


def _same_value(graph: tf.Graph, name: str) -> List[tf.Tensor]:
    """The tensor ``name`` and those that it is a mere copy of."""
    try:
        tensor = graph.get_tensor_by_name(name)
    except (KeyError, ValueError):
        return []
    found = [tensor]
    while found[-1].op.type in PASSES_ON:
        found.append(found[-1].op.inputs[0])
    return found


def _operator_of(joint: List[str], known: Set[str], made_in: Dict[str, int]) -> str:
    """Of the operators that a tensor is named after, the one whose output it is: most often the first.

    Of a product that TFLite computes in another shape that one is none that ONNX knows. Then it is the last that is
    made, ``made_in`` the graph, of those that are ``known`` to ONNX.
    """
    others = [] if joint[0] in known else [name for name in joint if name in known]
    return max(others, key=lambda name: made_in[name]) if others else joint[0]
