"""A frozen graph taken apart: any tensor of it may be fed and any fetched, which is all that a piece of it takes."""

from typing import Dict, List, Set

import numpy as np
import onnx
import tensorflow as tf

from ferry.bisect.layout import Place
from ferry.bisect.side import Point, Side
from ferry.frozen import fed_constants, frozen_graph
from ferry.frozen.frozen_graph import GraphDef
from ferry.frozen.light_graph import LightGraph
from ferry.graph.from_onnx import from_onnx
from ferry.graph.input_output_names import fed_names
from ferry.lowering import graph_builder, large_constants
from ferry.lowering.recurrence import Recurrence
from ferry.lowering.tensors import ChannelsLast

# What the lowerings put around a transpose; the value is that of the operand.
PASSES_ON = ("Identity", "StopGradient")


def places(prepared: onnx.ModelProto, layout: str, graph_def: GraphDef) -> Dict[str, List[Place]]:
    """Where each tensor of ``prepared`` is in ``graph_def``, which was built from it, the place it is made in first.

    ``layout`` is ``nchw`` or ``nhwc``. The names in a graph depend on this, the model, the lowerings and what the graph
    notes of itself, so that building it again finds them. In a graph that onnx-tf made alone, a name of the lowerings
    may be that of another tensor: there the inputs and outputs alone are known.
    """
    if frozen_graph.is_articles(graph_def):
        names = [*fed_names(prepared.graph), *(info.name for info in prepared.graph.output)]
        return {name: [Place(f"{name}:0", False)] for name in names}
    recurrent = frozen_graph.recurrent(graph_def)
    with large_constants.kept_aside():
        graph, tensors = graph_builder.build_tensors(from_onnx(prepared), layout, Recurrence(recurrent))
    found: Dict[str, List[Place]] = {}
    for name in [*fed_names(prepared.graph), *(name for node in prepared.graph.node for name in node.output)]:
        if not name or name in found:
            continue
        found[name] = []
        for form in tensors.forms(name):
            tensor = form.tensor if isinstance(form, ChannelsLast) else form
            # What was made inside a loop's body is out of reach.
            if tensor.graph is graph:
                found[name].append(Place(tensor.name, isinstance(form, ChannelsLast)))
    for info in prepared.graph.output:
        output = graph.get_tensor_by_name(f"{info.name}:0")
        forms = tensors.forms(info.name)
        last = any(isinstance(form, ChannelsLast) and form.tensor is output.op.inputs[0] for form in forms)
        found.setdefault(info.name, []).append(Place(output.name, last))
    return found


class TensorflowSide(Side):
    """The parts of ``light``, of which ``found`` says where each ONNX tensor is."""

    def __init__(self, light: LightGraph, found: Dict[str, List[Place]]):
        self.graph, self._constants = fed_constants.imported(light)
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, device_count={"GPU": 0}
        )
        # Each piece is a graph to TensorFlow, run once: optimising it takes far longer than it could save.
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = tf.compat.v1.OptimizerOptions.L0
        self._session = tf.compat.v1.Session(graph=self.graph, config=config)
        self._places: Dict[Point, Place] = {}
        self._first: Dict[str, Point] = {}
        placeholders = {f"{name}:0" for name in frozen_graph.input_names(light.graph_def)}
        self.inputs, self.points = [], []
        for name, forms in found.items():
            for place in forms:
                if not _has(self.graph, place.tensor):
                    continue
                point = Point(name, place.tensor)
                self._places[point] = place
                self._first.setdefault(place.tensor, point)
                (self.inputs if place.tensor in placeholders else self.points).append(point)

    def sources(self, point: Point, known: Set[Point]) -> List[Point]:
        first = self._first[point.where]
        if first != point and first in known:
            # An operator that does nothing, or should not have done nothing, made no tensor of its own.
            return [first]
        stops = {entry.where: entry for entry in sorted(known, reverse=True) if self._first[entry.where] == entry}
        found, seen = [], {point.where}
        needed = [self.graph.get_tensor_by_name(point.where).op]
        while needed:
            for tensor in needed.pop().inputs:
                if tensor.name in seen:
                    continue
                seen.add(tensor.name)
                if tensor.name in stops:
                    found.append(stops[tensor.name])
                else:
                    needed.append(tensor.op)
        return sorted(found)

    def compute(self, point: Point, values: Dict[Point, np.ndarray]) -> np.ndarray:
        feeds = {entry.where: self._places[entry].from_onnx(array) for entry, array in values.items()}
        # TensorFlow refuses to fetch what it is fed.
        if point.where in feeds:
            return self._places[point].to_onnx(feeds[point.where])
        return self._places[point].to_onnx(self._session.run(point.where, {**self._constants, **feeds}))

    def described(self, point: Point) -> str:
        op = self.graph.get_tensor_by_name(point.where).op
        while op.type in PASSES_ON:
            op = op.inputs[0].op
        return f"{op.type} {op.name}"


def _has(graph: tf.Graph, tensor: str) -> bool:
    try:
        graph.get_tensor_by_name(tensor)
    except (KeyError, ValueError):
        return False
    return True
