"""Fidelity: does each operator of a quantized file do what its steps say?

Three things are held against an ideal quantizer of Ferry's own, each in units of what rounding to its steps costs:
the constants, which no input needs to reach; the ranges; and what the operator computes of the file's own inputs.
"""

from dataclasses import replace
from typing import Iterable, List, Optional, Tuple

import numpy as np

from ferry.errors import UnsupportedModelError
from ferry.verify.quantized import ideal
from ferry.verify.quantized.counterparts import RECODES, Counterparts
from ferry.verify.quantized.every_tensor import EveryTensor
from ferry.verify.quantized.findings import OperatorFidelity
from ferry.verify.quantized.network import Network, Operator
from ferry.verify.quantized.operator_check import Constant, OperatorCheck
from ferry.verify.quantized.range_check import RangeCheck
from ferry.verify.quantized.ranges import TensorRanges

# A number rounded to the nearest step is off by half a step at most, which is so many times the usual (root mean
# square) error: no choice of the float weights brings an ideal quantizer above it.
NEAREST = np.sqrt(3.0)
# All values of an operator: a kernel's integer arithmetic may be a step further off in an eighth of them.
WHOLE_LIMIT = 1.6
# One channel, of which there may be few values: rounding at its worst, and a step further in a third of them.
CHANNEL_LIMIT = 2.5
# Weights as constants, a channel: rounding at its worst, with a tenth for float32's part in the steps.
WEIGHTS_LIMIT = 1.1 * NEAREST
# A bias may be half a step off, and may correct what the weights' rounding changes; in units of the two together.
# That is seen on few inputs: the mean over the calibration may be twice as large. It has to take out half at least.
BIAS_LIMIT, CORRECTION, LEFT = 1.1, 2.0, 0.5


class Fidelity:
    """Hold ``quantized`` against ``floating``, operator by operator.

    ``calibrated`` says that ``ranges`` are of the inputs that the file was calibrated on.
    """

    def __init__(
        self,
        quantized: Network,
        floating: Network,
        counterparts: Counterparts,
        ranges: TensorRanges,
        calibrated: bool = True,
    ):
        self._network, self._ranges = quantized, ranges
        self._range_check = RangeCheck(quantized, ranges, calibrated)
        self._checks: List[Tuple[Operator, Optional[OperatorCheck], Optional[str]]] = []
        for operator in quantized.operators:
            if operator.kind == "DEQUANTIZE" and quantized.tensors[operator.inputs[0]].constant is not None:
                continue  # A constant, which is compared where it is used.
            other = counterparts.operators.get(operator.position)
            try:
                self._checks.append((operator, OperatorCheck(quantized, operator, floating, other, ranges), None))
            except UnsupportedModelError as error:
                self._checks.append((operator, None, str(error)))

    @property
    def checks(self) -> List[OperatorCheck]:
        """The checks of those operators that can be run alone."""
        return [check for _, check, _ in self._checks if check is not None]

    def run(self, samples: Iterable[List[np.ndarray]]) -> List[OperatorFidelity]:
        """What comes of each operator over the ``samples``, in the order in which they run."""
        opened = EveryTensor(self._network)
        for arrays in samples:
            raw = opened.run(arrays)
            for _, check, _ in self._checks:
                if check is not None:
                    check.add(raw)
        return [self._judged(*each) for each in self._checks]

    def _judged(self, operator: Operator, check: Optional[OperatorCheck], unjudged: Optional[str]) -> OperatorFidelity:
        tensor = operator.outputs[0]
        held, own = self._network.tensors[tensor], self._ranges.own(tensor)
        quantized = held.quantized and held.steps is not None and len(held.steps.scale) == 1
        found = OperatorFidelity(
            name=held.name,
            operator=operator.kind,
            position=operator.position,
            matched=check is not None and (check.matched or operator.kind in RECODES),
            measured=list(own) if quantized and own is not None else None,
            held=list(ideal.held_range(held.steps, held.dtype)) if quantized and held.steps is not None else None,
            fault=self._range_check.fault(operator),
            unjudged=unjudged,
        )
        if check is None:
            return found
        found = _with_constants(_with_outputs(found, check), check)
        return replace(found, fault=found.fault or _constants_fault(found) or _output_fault(found, check))


def _with_outputs(found: OperatorFidelity, check: OperatorCheck) -> OperatorFidelity:
    """``found`` with the figures of the output that is worst."""
    outputs = [sums for sums in check.sums if sums is not None and sums.values]
    if not outputs:
        return found
    worst = max(outputs, key=lambda sums: sums.ratio)
    channels = worst.channel_ratios()
    channel = int(np.argmax(channels)) if channels else None
    return replace(
        found,
        ratio=worst.ratio,
        saturated=worst.saturated / (worst.values * len(worst.squares)),
        channel=channel,
        channel_ratio=None if channel is None else channels[channel],
    )


def _with_constants(found: OperatorFidelity, check: OperatorCheck) -> OperatorFidelity:
    kind = check.operator.kind
    bias = ideal.bias_place(kind) if kind in ideal.WEIGHTED else -1
    weights = [_weights_ratio(check, constant) for constant in check.constants if constant.place != bias]
    biases = [_bias_ratio(check, constant) for constant in check.constants if constant.place == bias]
    return replace(found, weights_ratio=max(weights, default=None), bias_ratio=max(biases, default=None))


def _weights_ratio(check: OperatorCheck, constant: Constant) -> float:
    """The worst channel's error over the usual one of an ideal quantizer; of float16, over half of its last bit."""
    wanted, held = constant.wanted, constant.held
    if constant.stored.dtype == np.float16:
        narrow = wanted.astype(np.float16).astype(np.float64)
        return 0.0 if np.array_equal(narrow, held) else float("inf")
    if constant.stored.dtype == np.float32:
        return 0.0 if np.array_equal(wanted, held) else float("inf")
    if not np.isfinite(held).all() or wanted.shape != held.shape:
        return float("inf")
    steps = ideal.constant_steps(check.operator, constant.place, wanted, constant.stored)
    usual = steps.along(steps.scale, wanted.ndim) * ideal.ROUNDING
    errors = np.broadcast_to(((held - wanted) / usual) ** 2, wanted.shape)
    if len(steps.scale) == 1:
        return float(np.sqrt(errors.mean())) if errors.size else 0.0
    others = tuple(axis for axis in range(wanted.ndim) if axis != steps.axis)
    return float(np.sqrt(errors.mean(axis=others).max()))


def _bias_ratio(check: OperatorCheck, constant: Constant) -> float:
    if not np.isfinite(constant.held).all() or constant.wanted.shape != constant.held.shape:
        return float("inf")
    error = np.abs(constant.held - constant.wanted)
    if constant.stored.dtype.kind == "f":
        narrow = constant.wanted.astype(constant.stored.dtype).astype(np.float64)
        return 0.0 if np.array_equal(narrow, constant.held) else float("inf")
    plain = np.abs(constant.wanted) * 1e-6 + _bias_half_step(check)
    of_rounding = float((error / np.maximum(plain, np.finfo(np.float64).tiny)).max(initial=0.0))
    if of_rounding <= BIAS_LIMIT or not check.changes or len(check.changes[0]) != len(error):
        return of_rounding
    return min(of_rounding, _corrected_ratio(check, constant, plain))


def _corrected_ratio(check: OperatorCheck, constant: Constant, plain: np.ndarray) -> float:
    """How far a bias is from one that takes out what rounding the weights adds on average; at most 1 if it is one.

    A bias that is wrong does not go against that change, and one far too large is beyond anything that it can be.
    """
    assert check.correction is not None
    moved = constant.held - constant.wanted
    bound = plain + CORRECTION * np.maximum(check.correction, np.median(check.correction) / 2)
    means = np.stack(check.changes)
    mean = means.mean(0)
    # The mean is that of few inputs here, and that of all calibration inputs in the file.
    chance = float((means.var(0) / len(means)).sum())
    left = float(((moved + mean) ** 2).sum()) / max(LEFT * float((mean**2).sum()), 4 * chance, float((plain**2).sum()))
    return max(float((np.abs(moved) / bound).max(initial=0.0)), float(np.sqrt(left)))


def _bias_half_step(check: OperatorCheck) -> np.ndarray:
    """Half of the step that a 32-bit bias has: that of the input times that of the weights."""
    inputs = check.input_steps()
    weights = next((each for each in check.constants if each.place == ideal.WEIGHTS), None)
    if inputs is None or weights is None or weights.stored.steps is None:
        return np.zeros(1)
    steps = ideal.constant_steps(check.operator, ideal.WEIGHTS, weights.wanted, weights.stored)
    return steps.scale * inputs.scale[0] / 2


def _constants_fault(found: OperatorFidelity) -> Optional[str]:
    if (found.weights_ratio or 0.0) > WEIGHTS_LIMIT:
        return f"its weights are off by {_times(found.weights_ratio)} what rounding to their steps costs"
    if (found.bias_ratio or 0.0) > BIAS_LIMIT:
        return f"its bias is off by {_times(found.bias_ratio)} its step and what it may correct"
    return None


def _output_fault(found: OperatorFidelity, check: OperatorCheck) -> Optional[str]:
    if check.unequal:
        return f"{check.unequal} of its integers are not what it computes of its inputs"
    if (found.ratio or 0.0) > WHOLE_LIMIT:
        return f"what it computes is off by {_times(found.ratio)} what an ideal quantizer's steps cost"
    if (found.channel_ratio or 0.0) > CHANNEL_LIMIT:
        return (
            f"channel {found.channel} of what it computes is off by {_times(found.channel_ratio)} what an ideal "
            "quantizer's steps cost"
        )
    return None


def _times(ratio: Optional[float]) -> str:
    return f"{ratio:.1f} times" if ratio is not None and np.isfinite(ratio) else "more than can be said of"
