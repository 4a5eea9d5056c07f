"""What a ``.tflite`` asks of whatever runs it: its operators' versions, dtypes and axes, and the memory for them."""

from collections import Counter
from typing import Dict, List, NamedTuple

import tflite as schema

from ferry.tflite import flatbuffer, schema_names

# A buffer of TensorFlow Lite for Microcontrollers begins at a multiple of this many bytes.
ALIGNMENT = 16
_BYTES = {"float32": 4, "float16": 2, "int32": 4, "int64": 8, "int8": 1, "uint8": 1, "int16": 2, "bool": 1}


class Use(NamedTuple):
    """An operator as the file has it: its name (``Flex…`` and customs by theirs), version, and its input.

    The input is the first that is computed, or the first of all: its dtype, and how many axes it has.
    """

    operator: str
    version: int
    dtype: str
    axes: int


def uses(data: bytes) -> Dict[Use, int]:
    """How often each use stands in the model, in the order in which they first run."""
    model = schema.Model.GetRootAsModel(data, 0)
    count: Dict[Use, int] = Counter()
    for position in range(model.SubgraphsLength()):
        graph = model.Subgraphs(position)
        for index in range(graph.OperatorsLength()):
            count[_use(model, graph, graph.Operators(index))] += 1
    return count


def _use(model: schema.Model, graph: schema.SubGraph, operator: schema.Operator) -> Use:
    code = model.OperatorCodes(operator.OpcodeIndex())
    name = flatbuffer.operator_name(model, operator)
    given = [operator.Inputs(position) for position in range(operator.InputsLength()) if operator.Inputs(position) >= 0]
    computed = [tensor for tensor in given if not _is_constant(model, graph, tensor)]
    if not given:
        return Use(name, code.Version(), "", 0)
    tensor = graph.Tensors((computed or given)[0])
    return Use(name, code.Version(), schema_names.DTYPES[tensor.Type()], tensor.ShapeLength())


def _is_constant(model: schema.Model, graph: schema.SubGraph, tensor: int) -> bool:
    return model.Buffers(graph.Tensors(tensor).Buffer()).DataLength() > 0


def has_transpose_at_the_entry(data: bytes) -> bool:
    """Whether an input of the model goes into a TRANSPOSE before anything else."""
    model = schema.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    entries = {graph.Inputs(position) for position in range(graph.InputsLength())}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        kind = _use(model, graph, operator).operator
        if operator.InputsLength() and operator.Inputs(0) in entries:
            if kind == "TRANSPOSE":
                return True
            if kind == "QUANTIZE":
                entries.add(operator.Outputs(0))
    return False


def arena_bytes(data: bytes) -> int:
    """The least memory, in bytes, that holds at each step all tensors that are computed and still needed.

    A planner may need more, as it cannot always fill the gaps; the weights are not in it.
    """
    model = schema.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    steps = graph.OperatorsLength()
    first: Dict[int, int] = {graph.Inputs(position): 0 for position in range(graph.InputsLength())}
    last: Dict[int, int] = dict(first)
    for index in range(steps):
        operator = graph.Operators(index)
        for position in range(operator.OutputsLength()):
            first.setdefault(operator.Outputs(position), index)
            last[operator.Outputs(position)] = index
        for position in range(operator.InputsLength()):
            last[operator.Inputs(position)] = index
    for position in range(graph.OutputsLength()):
        last[graph.Outputs(position)] = steps
    change: List[int] = [0] * (steps + 2)
    for tensor, begins in first.items():
        if tensor >= 0 and not _is_constant(model, graph, tensor):
            size = _size(graph.Tensors(tensor))
            change[begins] += size
            change[last[tensor] + 1] -= size
    most = held = 0
    for step in change:
        held += step
        most = max(most, held)
    return most


def _size(tensor: schema.Tensor) -> int:
    size = _BYTES.get(schema_names.DTYPES[tensor.Type()], 8)
    for axis in range(tensor.ShapeLength()):
        size *= max(int(tensor.Shape(axis)), 1)
    return -(-size // ALIGNMENT) * ALIGNMENT
