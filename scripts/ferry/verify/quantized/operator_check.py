"""One operator of a quantized file held against the float file's own, and against what an ideal quantizer would do."""

from typing import Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.verify.quantized import ideal
from ferry.verify.quantized.counterparts import RECODES
from ferry.verify.quantized.network import Network, Operator, Steps, Tensor
from ferry.verify.quantized.one_operator import OneOperator, constants_of, without_activation
from ferry.verify.quantized.ranges import TensorRanges

# Float32 is off by this share of a tensor's scale, at most, in one operator.
FLOAT_ROUNDING = 4e-6
# A quantizer whose numbers happen to lie on its steps is still given this share of what rounding usually costs, and
# more where there are so few values that what they cost is chance.
LEAST_PREDICTED, CERTAIN_VALUES = 0.25, 30
# What TF 2.4's own kernels are off by beside rounding, in steps (root mean square): bilinear resizing rounds up.
KERNEL_STEPS = {"RESIZE_BILINEAR": 0.9}
_AXIS_IS_LAST = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


class Sums(NamedTuple):
    """Of one output: sums over the inputs.

    ``values`` is how many each channel has, ``step`` the ideal one, ``float_squares`` what float32 rounds by;
    ``squares`` and ``predicted`` are of the errors and of the ideal quantizer's, one a channel; ``saturated`` counts
    the values beyond the file's range.
    """

    values: int
    step: float
    float_squares: float
    squares: np.ndarray
    predicted: np.ndarray
    saturated: int

    @property
    def ratio(self) -> float:
        """The error of all values over what an ideal quantizer's is."""
        channels = len(self.squares)
        return self._ratio(self.squares.sum(), self.predicted.sum(), channels * self.values, channels)

    def channel_ratios(self) -> List[float]:
        """The same of each channel; none where a channel has too few values, whose errors are chance."""
        if self.values < CERTAIN_VALUES or len(self.squares) < 2:
            return []
        return [self._ratio(*pair, self.values, 1) for pair in zip(self.squares, self.predicted)]

    def _ratio(self, squares: float, predicted: float, values: int, channels: int) -> float:
        share = max(LEAST_PREDICTED, min(1.0, np.sqrt(CERTAIN_VALUES / max(values, 1))))
        least = max(values * (share * ideal.ROUNDING * self.step) ** 2, channels * self.float_squares)
        predicted = max(predicted, least)
        return float(np.sqrt(squares / predicted)) if predicted else 0.0 if not squares else float("inf")


class Constant(NamedTuple):
    """A constant of the float operator and what the file holds for it; ``stored`` has the file's steps and dtype."""

    place: int
    wanted: np.ndarray
    stored: Tensor
    held: np.ndarray


class OperatorCheck:
    """``operator`` of ``quantized``, beside ``other`` of ``floating``, or itself in float where that is ``None``.

    Raises:
        UnsupportedModelError: neither can be run alone.
    """

    def __init__(
        self,
        quantized: Network,
        operator: Operator,
        floating: Network,
        other: Optional[Operator],
        ranges: TensorRanges,
    ):
        self.operator, self._quantized = operator, quantized
        self.matched = other is not None
        self._network, self._other = (floating, other) if other is not None else (quantized, operator)
        self._ranges = ranges
        wanted = constants_of(self._network, self._other)
        self.constants = self._compared(wanted) if self.matched else []
        self._hybrid = self._is_hybrid()
        self._exact: Optional[OneOperator] = None
        self._change: Optional[OneOperator] = None
        if operator.kind not in RECODES:
            self._exact = OneOperator(self._network, self._other, wanted)
            self._ideal = OneOperator(self._network, self._other, {**wanted, **self._rounded()})
            self._change = self._of_weights(wanted)
        # What the weights' rounding changes of the outputs: the largest of each channel, and the mean of each input.
        self.correction: Optional[np.ndarray] = None
        self.changes: List[np.ndarray] = []
        self.sums: List[Optional[Sums]] = [None] * len(operator.outputs)
        self.unequal = 0

    def add(self, raw: Dict[int, np.ndarray]) -> None:
        """Take in what the file computed of one input: its tensors as it holds them."""
        given = self._given(raw)
        if self._exact is None:
            (value,) = given.values()
            exact, predicted = [value], [value]
        else:
            exact = self._exact.run(given)
            predicted = self._ideal.run(self._as_hybrid(given))
            self._take_correction(given)
        for place, tensor in enumerate(self.operator.outputs):
            held = self._quantized.tensors[tensor]
            made = held.numbers(raw[tensor])
            if not held.real:
                self.unequal += int((made != exact[place]).sum())
                continue
            self.sums[place] = _added(self.sums[place], self._sums(tensor, made, exact[place], predicted[place]))

    def steps(self, tensor: int) -> Optional[Steps]:
        """The ideal steps of an output; the file's own where Ferry measured none."""
        held = self._quantized.tensors[tensor]
        return (self._ranges.steps(tensor) or held.steps) if held.quantized else None

    @property
    def rounds(self) -> bool:
        """Whether its constants are rounded, or what it is given."""
        return self._hybrid or any(constant.stored.dtype != np.float32 for constant in self.constants)

    def exactly(self, values: Dict[int, np.ndarray]) -> List[np.ndarray]:
        """What the float operator computes of ``values``, by the positions of its own inputs."""
        assert self._exact is not None
        return self._exact.run(values)

    def ideally(self, values: Dict[int, np.ndarray]) -> List[np.ndarray]:
        """The same with constants as an ideal quantizer holds them; the outputs are not rounded."""
        return self._ideal.run(self._as_hybrid({tensor: values[tensor] for tensor in self._ideal.given}))

    def input_steps(self) -> Optional[Steps]:
        """The ideal steps of what it is given first."""
        first = self.operator.inputs[ideal.data_place(self.operator.kind)]
        held = self._quantized.tensors[first]
        return (self._ranges.steps(first) or held.steps) if held.quantized else None

    def _sums(self, tensor: int, made: np.ndarray, exact: np.ndarray, predicted: np.ndarray) -> Sums:
        held, steps = self._quantized.tensors[tensor], self.steps(tensor)
        floor, saturated, step = FLOAT_ROUNDING * float(np.abs(exact).max(initial=0.0)), 0, 0.0
        if steps is not None and held.steps is not None:
            predicted = ideal.rounded(predicted, steps, held.dtype)
            step = float(steps.scale[0])
            low, high = ideal.held_range(held.steps, held.dtype)
            half = float(held.steps.scale[0]) / 2
            saturated = int(((exact < low - half) | (exact > high + half)).sum())
        shape = (-1, exact.shape[-1]) if exact.ndim > 1 and self.operator.kind in _AXIS_IS_LAST else (-1, 1)
        error, expected = (made - exact).reshape(shape), (predicted - exact).reshape(shape)
        kernel = (
            KERNEL_STEPS.get(self.operator.kind, 0.0) * float(held.steps.scale[0]) if held.steps is not None else 0.0
        )
        predicted_squares = (expected**2).sum(0) + len(error) * kernel**2
        return Sums(len(error), step, len(error) * floor**2, (error**2).sum(0), predicted_squares, saturated)

    def _given(self, raw: Dict[int, np.ndarray]) -> Dict[int, np.ndarray]:
        """The numbers that the file's operator is given, by the positions of what it is held against."""
        given = {}
        for ours, theirs in zip(self.operator.inputs, self._other.inputs):
            if ours < 0 or theirs < 0 or self._network.tensors[theirs].constant is not None:
                continue
            tensor = self._quantized.tensors[ours]
            given[theirs] = tensor.numbers(raw.get(ours, tensor.constant))
        return given

    def _compared(self, wanted: Dict[int, np.ndarray]) -> List[Constant]:
        found = []
        for place, (ours, theirs) in enumerate(zip(self.operator.inputs, self._other.inputs)):
            if ours < 0 or theirs not in wanted or not self._network.tensors[theirs].real:
                continue
            stored = self._stored(ours)
            if stored is not None and stored.constant is not None:
                fits = stored.steps is None or stored.steps.fits(stored.shape)
                held = stored.numbers(stored.constant) if fits else np.full(stored.shape, np.nan)
                found.append(Constant(place, wanted[theirs], stored, held))
        return found

    def _stored(self, tensor: int) -> Optional[Tensor]:
        """The constant ``tensor``, or the one that it is dequantized from."""
        held = self._quantized.tensors[tensor]
        if held.constant is not None:
            return held
        maker = self._quantized.maker(tensor)
        return self._quantized.tensors[maker.inputs[0]] if maker is not None and maker.kind == "DEQUANTIZE" else None

    def _rounded(self) -> Dict[int, np.ndarray]:
        """The constants as an ideal quantizer would hold them. A bias has steps fine enough to count as exact."""
        made = {}
        for constant in self.constants:
            tensor = self._other.inputs[constant.place]
            if constant.stored.dtype == np.float16:
                made[tensor] = constant.wanted.astype(np.float16).astype(np.float64)
            elif constant.stored.dtype in (np.int8, np.uint8, np.int16):
                steps = ideal.constant_steps(self._other, constant.place, constant.wanted, constant.stored)
                made[tensor] = ideal.rounded_constant(constant.wanted, steps)
        return made

    def _of_weights(self, wanted: Dict[int, np.ndarray]) -> Optional[OneOperator]:
        """The operator without bias and activation, with what rounding has changed of the weights for its weights."""
        weights = next((each for each in self.constants if each.place == ideal.WEIGHTS), None)
        if self._other.kind not in ideal.WEIGHTED or weights is None or weights.wanted.shape != weights.held.shape:
            return None
        inputs = self._other.inputs
        changed = {inputs[ideal.WEIGHTS]: weights.held - weights.wanted}
        place = ideal.bias_place(self._other.kind)
        if len(inputs) > place and inputs[place] in wanted:
            changed[inputs[place]] = np.zeros_like(wanted[inputs[place]])
        return OneOperator(self._network, without_activation(self._other), {**wanted, **changed})

    def _take_correction(self, given: Dict[int, np.ndarray]) -> None:
        if self._change is None:
            return
        change = self._change.run(given)[0]
        rows = change.reshape(-1, change.shape[-1])
        largest, mean = np.abs(rows).max(0), rows.mean(0)
        self.correction = largest if self.correction is None else np.maximum(self.correction, largest)
        self.changes.append(mean)

    def _is_hybrid(self) -> bool:
        """Whether it multiplies float inputs by integer weights: its kernel rounds the inputs too."""
        made = self._quantized.tensors[self.operator.outputs[0]] if self.operator.outputs else None
        direct = [self._quantized.tensors[tensor] for tensor in self.operator.inputs if tensor >= 0]
        return (
            made is not None
            and made.dtype == np.float32
            and any(each.constant is not None and each.quantized for each in direct)
        )

    def _as_hybrid(self, given: Dict[int, np.ndarray]) -> Dict[int, np.ndarray]:
        """Inputs rounded as TFLite's hybrid kernels do: 8 bits for each row of a product, or image of a batch."""
        if not self._hybrid:
            return given
        made = {}
        for tensor, value in given.items():
            rows = value.reshape(-1, value.shape[-1]) if self.operator.kind == "FULLY_CONNECTED" else value
            axes: Tuple[int, ...] = tuple(range(1, rows.ndim))
            scale = np.maximum(np.abs(rows).max(axis=axes, keepdims=True), 1e-30) / 127
            made[tensor] = (np.rint(rows / scale) * scale).reshape(value.shape)
        return made


def _added(one: Optional[Sums], other: Sums) -> Sums:
    if one is None:
        return other
    return Sums(
        one.values + other.values,
        one.step,
        one.float_squares + other.float_squares,
        one.squares + other.squares,
        one.predicted + other.predicted,
        one.saturated + other.saturated,
    )
