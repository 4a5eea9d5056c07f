"""What is true of every graph between two passes. A pass that breaks it is at fault, not the model."""

from typing import Set

import onnx

from ferry.graph import shapes
from ferry.graph.graph import Graph
from ferry.graph.node import Shape, Use, Value
from ferry.graph.to_onnx import outline, tensor_to_onnx, value_to_onnx


class InvalidGraphError(Exception):
    """A pass left a graph that contradicts itself or ONNX: a fault in Ferry."""


def check(graph: Graph) -> None:
    """Raise :class:`InvalidGraphError` if ``graph`` is not valid: links, order, names, operators, shapes."""
    _check_links(graph)
    _check_values(graph)
    model = outline(graph)
    for value in graph.constants:
        # Declared as an input, a constant needs no value: the checker is not to copy the weights.
        model.graph.input.append(value_to_onnx(value))
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise InvalidGraphError(f"ONNX refuses it: {error}") from error
    _check_shapes(graph, model)


def _check_links(graph: Graph) -> None:
    made: Set[Value] = {*graph.inputs, *graph.constants}
    previous = None
    for node in graph.nodes:
        _require(node.graph is graph, f"{node} is in the order, and not in the graph")
        _require(node._previous is previous, f"{node} does not know what it follows")
        previous = node
        for index, value in enumerate(node.inputs):
            if value is not None:
                _require(Use(node, index) in value._uses, f"{value} does not know that {node} reads it")
                _require(value in made, f"{node} reads {value} before it is made")
        for value in node.captures.values():
            _require(node in value._captured_by, f"{value} does not know that {node} captures it")
            _require(value in made, f"{node} captures {value} before it is made")
        for value in node.outputs:
            if value is not None:
                _require(value.producer is node, f"{value} does not know that {node} makes it")
                _require(value not in made, f"{value} is made twice")
                made.add(value)
    _require(graph._last is previous, "the last node is not the last one")
    _require(made == set(graph.values), "a value is made that the graph does not know, or one that it knows is not")


def _check_values(graph: Graph) -> None:
    outputs = set(graph.outputs)
    for value in graph.values:
        _require(graph.find(value.name) is value, f"{value} is not found by its name")
        _require(value.is_output == (value in outputs), f"{value} is an output on one side only")
        _require(value.is_constant == (value in graph._constants), f"{value} is a constant on one side only")
        _require(not (value.is_constant and value.producer), f"{value} is constant and computed")
        for use in value.uses:
            reads = use.node.graph is graph and use.node.input(use.position) is value
            _require(reads, f"{value} believes that {use.node} reads it")
        if value.is_constant:
            _require(value.shape is not None and value.dtype is not None, f"{value} has no shape or dtype")


def _check_shapes(graph: Graph, model: onnx.ModelProto) -> None:
    """Hold the shapes that passes have set against those that follow from the graph's inputs and constants."""
    model.graph.initializer.extend(tensor_to_onnx(value) for value in graph.constants if shapes.decides_shapes(value))
    for name, known in shapes.infer_declared(model).items():
        value = graph.find(name)
        if value is None:
            continue
        if known.shape is not None and value.shape is not None:
            _require(_fits(value.shape, known.shape), f"{value} has the shape {known.shape}")
        if known.dtype is not None and value.dtype is not None:
            _require(known.dtype == value.dtype, f"{value} has the dtype {known.dtype}")


def _fits(mine: Shape, other: Shape) -> bool:
    return len(mine) == len(other) and all(None in pair or pair[0] == pair[1] for pair in zip(mine, other))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise InvalidGraphError(what)
