"""Read a ``.tflite`` file without running it."""

from collections import Counter
from typing import Dict, List, Tuple

import tflite as schema

from ferry.errors import InputFileError
from ferry.tflite import description, schema_names

IDENTIFIER = b"TFL3"


def load(path: str) -> bytes:
    """Read the TFLite model in ``path``.

    Raises:
        InputFileError: the file is missing, is not a TFLite model, or is cut short.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputFileError(f"cannot read the TFLite model {path}: {error.strerror}") from error
    if data[4:8] != IDENTIFIER:
        raise InputFileError(f"{path} is not a TFLite model ({len(data)} bytes)")
    try:
        operators(data)
        _read_every_buffer(data)
        _read_description(data)
    except Exception as error:
        raise InputFileError(f"{path} is cut short or damaged ({len(data)} bytes)") from error
    return data


def operators(data: bytes) -> Dict[str, int]:
    """How often each operator stands in the model; one from TensorFlow itself is named ``Flex…``."""
    model = schema.Model.GetRootAsModel(data, 0)
    count: Dict[str, int] = Counter()
    for position in range(model.SubgraphsLength()):
        graph = model.Subgraphs(position)
        for index in range(graph.OperatorsLength()):
            count[operator_name(model, graph.Operators(index))] += 1
    return count


def operator_name(model: schema.Model, operator: schema.Operator) -> str:
    """The name of ``operator``: the schema's, or for one that is none of it the name that the file gives it."""
    code = model.OperatorCodes(operator.OpcodeIndex())
    custom = code.CustomCode()
    # The newer field is 0 in files written before it existed, the older one 127 where it cannot hold the code.
    return custom.decode() if custom else builtin_name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))


def builtin_name(code: int) -> str:
    """The name of a builtin operator in the schema, such as ``CONV_2D``."""
    return schema_names.OPERATORS.get(code, f"BUILTIN_{code}")


def tensor_count(data: bytes) -> int:
    """How many tensors the model has, weights among them."""
    model = schema.Model.GetRootAsModel(data, 0)
    return sum(model.Subgraphs(position).TensorsLength() for position in range(model.SubgraphsLength()))


def interface(data: bytes) -> Tuple[List[str], List[str]]:
    """The names of the model's inputs and of its outputs, in order."""
    graph = schema.Model.GetRootAsModel(data, 0).Subgraphs(0)
    inputs = [graph.Tensors(graph.Inputs(position)).Name().decode() for position in range(graph.InputsLength())]
    outputs = [graph.Tensors(graph.Outputs(position)).Name().decode() for position in range(graph.OutputsLength())]
    return inputs, outputs


def tensors_made(data: bytes, position: int) -> List[str]:
    """The names of what the operator at ``position`` of the first subgraph makes; none if there is no such operator."""
    graph = schema.Model.GetRootAsModel(data, 0).Subgraphs(0)
    if position >= graph.OperatorsLength():
        return []
    operator = graph.Operators(position)
    made = [graph.Tensors(operator.Outputs(index)) for index in range(operator.OutputsLength())]
    return [tensor.Name().decode() for tensor in made]


def flex_operators(count: Dict[str, int]) -> Dict[str, int]:
    """Those of ``operators()`` that need the Flex delegate, under TensorFlow's own names."""
    return {name[len("Flex") :]: times for name, times in count.items() if name.startswith("Flex")}


def _read_every_buffer(data: bytes) -> None:
    model = schema.Model.GetRootAsModel(data, 0)
    for position in range(model.BuffersLength()):
        buffer = model.Buffers(position)
        if buffer.DataLength():
            buffer.Data(buffer.DataLength() - 1)


def _read_description(data: bytes) -> None:
    # The generated reader returns a text that is cut short as if it were whole.
    table = schema.Model.GetRootAsModel(data, 0)._tab
    field = table.Offset(description.FIELD)
    if field:
        data[table.Vector(field) + table.VectorLen(field)]
