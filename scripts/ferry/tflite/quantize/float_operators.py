"""Which operators int8 would spoil, or has no form for, so that they stay in float; each with its reason."""

from typing import Callable, Dict, List, Set

from ferry.tflite.editable import EditableModel, schema
from ferry.tflite.quantize import float_model
from ferry.tflite.quantize.float_run import Seen
from ferry.tflite.quantize.skip import Skip

# What stands between a sum of squares and the values that are divided by its root.
_OF_A_VARIANCE = {"ADD", "MAXIMUM", "MEAN", "MUL", "RESHAPE", "SQUARE", "SQUARED_DIFFERENCE", "SUM"}
_CELL = {
    "ADD",
    "LOGISTIC",
    "MAXIMUM",
    "MINIMUM",
    "MUL",
    "PACK",
    "RELU",
    "SPLIT",
    "STRIDED_SLICE",
    "SUB",
    "TANH",
    "UNPACK",
}
# As many steps of a loop that was unrolled read the same weights.
_STEPS = 3
VARIANCE = "a variance spans too many orders of magnitude for 8 bits"
RECURRENT = "a recurrent layer adds up its rounding from step to step; its weights alone are int8"
INFINITE = "it makes infinite values"

Operators = Dict[int, str]


def choose(model: EditableModel, seen: Seen, skip: Skip) -> Operators:
    """The operators of the float ``model`` that stay in float, by their positions, and why.

    Raises:
        UnsupportedModelError: a pattern of ``skip`` matches none.
    """
    names = _Names(model)
    found: Operators = {}
    for position, operator in enumerate(model.operators):
        if skip.matches(names.kinds[position], [model.name(int(tensor)) for tensor in operator.outputs]):
            found[position] = f"SKIP={','.join(skip.patterns)}"
    skip.refuse_unused(sorted(set(names.kinds)))
    infinite = set(seen.infinite)
    touched = (
        position
        for position, operator in enumerate(model.operators)
        if infinite & {int(tensor) for tensor in [*operator.inputs, *operator.outputs]}
    )
    for reason, positions in ((INFINITE, touched), (VARIANCE, _variances(names)), (RECURRENT, _recurrent(names))):
        for position in positions:
            found.setdefault(position, reason)
    return found


class _Names:
    """The operators of a model by their positions, and how they hang together."""

    def __init__(self, model: EditableModel):
        self.model = model
        self.kinds = [float_model.kind_of(model, operator) for operator in model.operators]
        self._positions = {id(operator): position for position, operator in enumerate(model.operators)}

    def before(self, position: int) -> List[int]:
        """The operators that make what the operator reads."""
        makers = [self.model.makers.get(int(tensor)) for tensor in self.model.operators[position].inputs]
        return [self._positions[id(maker)] for maker in makers if maker is not None]

    def after(self, position: int) -> List[int]:
        """The operators that read what the operator makes."""
        made = [int(tensor) for tensor in self.model.operators[position].outputs]
        return [self._positions[id(user)] for tensor in made for user in self.model.users.get(tensor, [])]

    def reads_a_constant(self, position: int) -> bool:
        """Whether a float constant is among what it reads."""
        read = [int(tensor) for tensor in self.model.operators[position].inputs if tensor >= 0]
        return any(self.model.is_float(tensor) and self.model.constant(tensor) is not None for tensor in read)


def _variances(names: _Names) -> Set[int]:
    """Each reciprocal root, what computes the variance below it, and what it multiplies."""
    found: Set[int] = set()
    for position, kind in enumerate(names.kinds):
        if kind not in ("RSQRT", "SQRT"):
            continue
        below = _spread([position], names.before, lambda each: _is_of_a_variance(names, each))
        # The values less their mean; that mean, too, is of them all.
        centred = [each for one in below for each in names.before(one) if names.kinds[each] == "SUB"]
        means = [each for one in centred for each in names.before(one) if names.kinds[each] == "MEAN"]
        scaled = [each for each in names.after(position) if names.kinds[each] in ("MUL", "DIV")]
        found |= {*below, *centred, *means, *scaled}
    return found


def _is_of_a_variance(names: _Names, position: int) -> bool:
    kind = names.kinds[position]
    return kind in _OF_A_VARIANCE and (kind not in ("ADD", "MAXIMUM") or names.reads_a_constant(position))


def _recurrent(names: _Names) -> Set[int]:
    """The cells of layers whose loop over the steps was unrolled: the same weights are read again and again."""
    readers: Dict[int, List[int]] = {}
    for position, kind in enumerate(names.kinds):
        if kind == "FULLY_CONNECTED":
            readers.setdefault(int(names.model.operators[position].inputs[1]), []).append(position)
    steps = [position for each in readers.values() if len(each) >= _STEPS for position in each]
    return _spread(
        steps, lambda each: [*names.before(each), *names.after(each)], lambda each: names.kinds[each] in _CELL
    )


def _spread(begin: List[int], next_to: Callable[[int], List[int]], accepts: Callable[[int], bool]) -> Set[int]:
    found, pending = set(begin), list(begin)
    while pending:
        for position in next_to(pending.pop()):
            if position not in found and accepts(position):
                found.add(position)
                pending.append(position)
    return found


def hybrid(model: EditableModel, reasons: Operators) -> Set[int]:
    """Those of the operators in float whose weights are int8 all the same: the products of recurrent layers."""
    kind = schema.BuiltinOperator.FULLY_CONNECTED
    return {each for each, why in reasons.items() if why == RECURRENT and model.kind(model.operators[each]) == kind}
