"""Which operator and tensor of the float file each of the quantized one's stands for."""

from typing import Dict, List, NamedTuple, Optional

from ferry.verify.quantized.network import Network, Operator

# They change how a number is written, and nothing else.
RECODES = ("QUANTIZE", "DEQUANTIZE")


class Counterparts(NamedTuple):
    """The float file's operator for the position of an operator, and its tensor for that of a tensor."""

    operators: Dict[int, Operator]
    tensors: Dict[int, int]


def find(quantized: Network, floating: Network) -> Counterparts:
    """Match the two files: by the names that the converter keeps, else by order where kinds and shapes agree."""
    tensors = dict(zip(quantized.inputs, floating.inputs))
    tensors.update(zip(quantized.outputs, floating.outputs))
    _through_recoding(quantized, tensors)
    makers = {floating.tensors[output].name: each for each in floating.operators for output in each.outputs}
    made_by = {output: each for each in floating.operators for output in each.outputs}
    operators: Dict[int, Operator] = {}
    for each in quantized.operators:
        if each.kind in RECODES:
            continue
        known = [made_by.get(tensors[output]) for output in each.outputs if output in tensors]
        named = [makers.get(quantized.tensors[output].name) for output in each.outputs]
        found = next(
            (one for one in [*known, *named] if one is not None and _alike(quantized, each, floating, one)), None
        )
        if found is not None:
            operators[each.position] = found
    _by_order(quantized, floating, operators)
    for each in quantized.operators:
        if each.position in operators:
            tensors.update(zip(each.outputs, operators[each.position].outputs))
    _through_recoding(quantized, tensors)
    return Counterparts(operators, tensors)


def _alike(quantized: Network, each: Operator, floating: Network, other: Operator) -> bool:
    return each.kind == other.kind and _shapes(quantized, each) == _shapes(floating, other)


def _shapes(network: Network, operator: Operator) -> List:
    return [network.tensors[output].shape for output in operator.outputs]


def _by_order(quantized: Network, floating: Network, operators: Dict[int, Operator]) -> None:
    """Match the rest, where the operators without a match are as many of the same kinds and shapes in both files."""
    taken = {id(one) for one in operators.values()}
    ours = [each for each in quantized.operators if each.kind not in RECODES and each.position not in operators]
    theirs = [each for each in floating.operators if each.kind not in RECODES and id(each) not in taken]
    if len(ours) == len(theirs) and all(_alike(quantized, *pair[:1], floating, pair[1]) for pair in zip(ours, theirs)):
        operators.update({each.position: other for each, other in zip(ours, theirs)})


def _through_recoding(quantized: Network, tensors: Dict[int, int]) -> None:
    """Of a tensor and its recoded form either tells the other's counterpart."""
    for each in [*quantized.operators, *reversed(quantized.operators)]:
        if each.kind in RECODES:
            source, made = each.inputs[0], each.outputs[0]
            known: Optional[int] = tensors.get(source, tensors.get(made))
            if known is not None:
                tensors.setdefault(source, known)
                tensors.setdefault(made, known)
