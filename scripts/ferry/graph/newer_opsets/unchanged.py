"""Nodes that are in the terms of opset 12 as they are, once attributes that say nothing new are left out."""

from typing import Any, Callable, Dict, Tuple

import onnx

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.tensor_types import TARGET_OPSET


def _anything(value: Any) -> bool:
    return True


def _is(*allowed: Any) -> Callable[[Any], bool]:
    return lambda value: value in allowed


def _all_ones(value: Any) -> bool:
    return all(number == 1 for number in value)


# Attributes newer than opset 12, and which of their values are what opset 12 does without them.
WITHOUT_EFFECT: Dict[Tuple[str, str], Callable[[Any], bool]] = {
    ("AveragePool", "dilations"): _all_ones,
    ("BatchNormalization", "training_mode"): _is(0),
    ("Cast", "round_mode"): _anything,  # It is about float8e8m0 alone, and
    ("Cast", "saturate"): _anything,  # this about the other float8 types; both are refused by name.
    ("LpPool", "ceil_mode"): _is(0),
    ("LpPool", "dilations"): _all_ones,
    ("ScatterElements", "reduction"): _is("none"),
    ("ScatterND", "reduction"): _is("none"),
    ("SpaceToDepth", "mode"): _is("DCR"),
    ("QuantizeLinear", "saturate"): _anything,  # As for Cast.
    ("QuantizeLinear", "block_size"): _is(0),
    ("QuantizeLinear", "output_dtype"): _is(0),
    ("QuantizeLinear", "precision"): _is(0),
    ("DequantizeLinear", "block_size"): _is(0),
    ("DequantizeLinear", "output_dtype"): _is(0),
}


def write(call: Call, without: str = "") -> None:
    """Write the node as it is, but for the attribute ``without``, which the caller has seen to.

    Raises:
        UnsupportedModelError: it is no operator of opset 12, or asks for something that opset 12 does not have.
    """
    kind = call.node.op_type
    if not onnx.defs.has(kind):
        raise call.refuse("the operator has no form in opset 12 that Ferry knows")
    try:
        schema = onnx.defs.get_schema(kind, TARGET_OPSET)
    except onnx.defs.SchemaError:
        raise call.refuse("the operator has no form in opset 12 that Ferry knows") from None
    if schema.deprecated:
        raise call.refuse("the operator is not one of this opset any more")
    for position in range(schema.min_input):
        call.input(position)
    _check_types(call, schema)
    made = onnx.NodeProto()
    made.CopyFrom(call.node)
    made.DiscardUnknownFields()
    made.domain = ""
    del made.attribute[:]
    for entry in call.node.attribute:
        if entry.name == without:
            continue
        if entry.name in schema.attributes:
            made.attribute.add().CopyFrom(entry)
        elif not WITHOUT_EFFECT.get((kind, entry.name), _is())(call.attributes[entry.name]):
            raise call.refuse(f"{entry.name} = {call.attributes[entry.name]} has no form in opset 12 that Ferry knows")
    if len(made.input) > schema.max_input:
        if any(call.has(position) for position in range(schema.max_input, len(made.input))):
            raise call.refuse(f"opset 12 gives it {schema.max_input} inputs at most, and this has {len(made.input)}")
        del made.input[schema.max_input :]
    call.graph.emit(made)


def _check_types(call: Call, schema: onnx.defs.OpSchema) -> None:
    """Refuse a tensor of an element type that the operator took up only after opset 12."""
    for name, formal in zip(call.node.input, schema.inputs):
        element = call.graph.type_of(name).element if name else 0
        names = {number: kind.lower() for kind, number in onnx.TensorProto.DataType.items()}
        shown = names.get(element, f"type {element}")
        if element and f"tensor({shown})" not in formal.types:
            raise call.refuse(f"opset 12 knows no form of it for {shown} tensors")
