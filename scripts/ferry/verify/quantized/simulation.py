"""The scheme simulated: the float network, operator by operator, rounded as an ideal quantizer would round it."""

from typing import Dict, FrozenSet, List, Optional

import numpy as np

from ferry.verify.quantized import ideal
from ferry.verify.quantized.counterparts import RECODES, Counterparts
from ferry.verify.quantized.network import Network, Operator, Steps
from ferry.verify.quantized.one_operator import OneOperator, constants_of
from ferry.verify.quantized.operator_check import OperatorCheck
from ferry.verify.quantized.ranges import TensorRanges

NOTHING: FrozenSet[int] = frozenset()


class Simulation:
    """``floating`` as ``quantized`` would be, if each of its steps were an ideal quantizer's.

    Args:
        checks: those of the quantized file's operators, which hold the float operators and their rounded constants.

    Raises:
        UnsupportedModelError: an operator has no float kernel of its own.
    """

    def __init__(
        self,
        quantized: Network,
        floating: Network,
        counterparts: Counterparts,
        ranges: TensorRanges,
        checks: List[OperatorCheck],
    ):
        self._floating, self._quantized = floating, quantized
        by_operator = {
            counterparts.operators[check.operator.position].position: check
            for check in checks
            if check.operator.position in counterparts.operators
        }
        self._checks = by_operator
        self._exact: Dict[int, OneOperator] = {}
        for operator in floating.operators:
            if operator.position not in by_operator:
                self._exact[operator.position] = OneOperator(floating, operator, constants_of(floating, operator))
        self._steps = self._rounding(counterparts, ranges)

    def _rounding(self, counterparts: Counterparts, ranges: TensorRanges) -> Dict[int, Steps]:
        """The steps of each tensor of the float network that the quantized one holds as integers."""
        found: Dict[int, Steps] = {}
        recoded = {tensor for each in self._quantized.operators if each.kind in RECODES for tensor in each.outputs}
        order = sorted(counterparts.tensors.items(), key=lambda pair: pair[0] in recoded)
        for ours, theirs in order:
            steps = ranges.steps(ours) if self._quantized.tensors[ours].quantized else None
            if steps is not None:
                found.setdefault(theirs, steps)
        return found

    @property
    def operators(self) -> List[Operator]:
        """The float operators at which something is rounded: constants, inputs or the output."""
        return [
            each
            for each in self._floating.operators
            if any(tensor in self._steps for tensor in each.outputs)
            or (each.position in self._checks and self._checks[each.position].rounds)
        ]

    def name(self, operator: Operator) -> str:
        """The name of what ``operator`` makes first."""
        return self._floating.tensors[operator.outputs[0]].name

    def run(self, arrays: List[np.ndarray], exact: FrozenSet[int] = NOTHING, rounded: bool = True) -> List[np.ndarray]:
        """The outputs for the inputs ``arrays``; the operators at the positions ``exact`` stay in float."""
        values: Dict[int, np.ndarray] = {}
        for tensor, array in zip(self._floating.inputs, arrays):
            values[tensor] = self._held(tensor, array.astype(np.float64) if array.dtype.kind == "f" else array, rounded)
        for operator in self._floating.operators:
            keep = not rounded or operator.position in exact
            made = self._made(operator, values, keep)
            for tensor, value in zip(operator.outputs, made):
                values[tensor] = self._held(tensor, value, not keep)
        return [values[tensor] for tensor in self._floating.outputs]

    def _made(self, operator: Operator, values: Dict[int, np.ndarray], exact: bool) -> List[np.ndarray]:
        check = self._checks.get(operator.position)
        if check is None:
            return self._exact[operator.position].run(values)
        return check.exactly(values) if exact else check.ideally(values)

    def _held(self, tensor: int, value: np.ndarray, rounded: bool) -> np.ndarray:
        steps: Optional[Steps] = self._steps.get(tensor)
        if steps is None or not rounded or value.dtype.kind != "f":
            return value
        return ideal.rounded(value, steps, np.dtype(np.int8))
