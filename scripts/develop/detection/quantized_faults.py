"""Faults planted in an int8 ``.tflite``, each of the kind that a quantizer, or an editor, gets wrong.

Of each kind one place is drawn with a seed. Where steps are changed, the biases that depend on them are too, so that
nothing but the fault is wrong.
"""

import copy
from typing import Callable, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from develop.detection.faults import Fault
from ferry.tflite.editable import packed
from ferry.verify.quantized import ideal
from ferry.verify.quantized.network import Network, Operator, Steps
from ferry.verify.quantized.ranges import sharing_steps

Edit = Callable[["Edited"], bool]


class Edited:
    """A model that a fault is being planted in; ``draw`` picks one of several places."""

    def __init__(self, data: bytes, generator: np.random.RandomState):
        self.network, self._data = Network(data), data
        self._generator = generator
        self.model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
        self.graph = self.model.subgraphs[0]
        self._groups = sharing_steps(self.network)

    def to_bytes(self) -> bytes:
        """The model as it now is."""
        return packed(copy.copy(self.model), len(self._data))

    def steps(self, tensor: int) -> Steps:
        """The steps of a quantized tensor."""
        found = self.network.tensors[tensor].steps
        assert found is not None
        return found

    def constant(self, tensor: int) -> np.ndarray:
        """The integers of a constant."""
        found = self.network.tensors[tensor].constant
        assert found is not None
        return found

    def draw(self, places: list):
        """One of the ``places``."""
        return places[self._generator.randint(len(places))]

    def weighted(self, channels: int = 1, bias: bool = False) -> List[Operator]:
        """The operators with int8 weights, of ``channels`` steps at least, and with a bias that is not zero."""
        found = []
        for each in self.network.operators:
            if each.kind in ideal.CHANNEL_AXIS or each.kind == "FULLY_CONNECTED":
                held = self.network.tensors[each.inputs[ideal.WEIGHTS]]
                if held.constant is None or held.steps is None or len(held.steps.scale) < channels:
                    continue
                if not bias or self._bias(each) is not None:
                    found.append(each)
        return found

    def _bias(self, operator: Operator) -> Optional[np.ndarray]:
        tensor = self.bias_of(operator)
        bias = None if tensor is None else self.network.tensors[tensor].constant
        return bias if bias is not None and np.abs(bias).max() > 0 else None

    def bias_of(self, operator: Operator) -> Optional[int]:
        """The tensor that is the bias of an operator with weights."""
        place = ideal.bias_place(operator.kind)
        return operator.inputs[place] if len(operator.inputs) > place and operator.inputs[place] >= 0 else None

    def set_bias_steps(self, operator: Operator, scales: np.ndarray) -> None:
        """Write the bias of ``operator`` anew with these steps."""
        tensor = self.bias_of(operator)
        if tensor is not None:
            bias = self.network.tensors[tensor]
            self.set_data(tensor, np.rint(bias.numbers(bias.constant) / scales).astype(np.int32))
            self.graph.tensors[tensor].quantization.scale = scales.astype(np.float32)

    def written(self, least_values: int = 2) -> List[int]:
        """The tensors whose steps a calibration chooses: computed, and not said by the specification."""
        fixed = {self._groups[each.outputs[0]] for each in self.network.operators if each.kind in ideal.FIXED}
        made = [tensor for each in self.network.operators for tensor in each.outputs]
        held = self.network.tensors
        return [
            tensor
            for tensor in made
            if held[tensor].quantized
            and self._groups[tensor] not in fixed
            and np.prod(held[tensor].shape) >= least_values
        ]

    def set_data(self, tensor: int, values: np.ndarray) -> None:
        """Give the constant ``tensor`` other integers, alone: of several tensors with one buffer the others keep it."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.graph.tensors[tensor].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)

    def set_steps(self, tensor: int, scale: float, zero: float) -> None:
        """Give ``tensor``, and all that share its steps, others."""
        group = {other for other, root in self._groups.items() if root == self._groups[tensor]}
        for other in group:
            held = self.graph.tensors[other].quantization
            held.scale = np.array([scale], np.float32)
            held.zeroPoint = np.array([int(np.clip(zero, -128, 127))], np.int64)
        self._rescale_biases(group, scale)

    def _rescale_biases(self, group: Set[int], scale: float) -> None:
        for each in self.weighted():
            if each.inputs[ideal.data_place(each.kind)] in group:
                weights = self.steps(each.inputs[ideal.WEIGHTS])
                self.set_bias_steps(each, np.float32(scale) * np.float32(weights.scale))


def in_int8(data: bytes, seed: int) -> Iterator[Fault]:
    """Faults in the int8 model ``data``: one of each kind that it has a place for."""
    generator = np.random.RandomState(seed)
    for kind, plant in FAULTS.items():
        edited = Edited(data, generator)
        if plant(edited):
            yield Fault(kind, edited.to_bytes())


def _scaled_range(share: float) -> Edit:
    """The range of one tensor times ``share``."""

    def plant(edited: Edited) -> bool:
        tensor = edited.draw(edited.written())
        steps = edited.steps(tensor)
        edited.set_steps(tensor, float(steps.scale[0]) * share, float(steps.zero[0]))
        return True

    return plant


def _moved_zero(by: int) -> Edit:
    """The zero point of one tensor moved towards the nearer end, which clips the other end of its range."""

    def plant(edited: Edited) -> bool:
        tensor = edited.draw(edited.written())
        steps = edited.steps(tensor)
        zero = float(steps.zero[0])
        edited.set_steps(tensor, float(steps.scale[0]), zero + by if zero < 0 else zero - by)
        return True

    return plant


def _symmetric(edited: Edited) -> bool:
    """Steps on both sides of zero alike for a tensor that is never negative."""
    steps = {tensor: edited.steps(tensor) for tensor in edited.written()}
    places = [tensor for tensor, each in steps.items() if each.zero[0] == -128]
    if not places:
        return False
    tensor = edited.draw(places)
    edited.set_steps(tensor, float(steps[tensor].scale[0]) * 255 / 127, 0.0)
    return True


def _swapped_tensors(edited: Edited) -> bool:
    """The steps of two tensors in each other's place."""
    steps = {tensor: edited.steps(tensor) for tensor in edited.written()}
    apart = [(one, other) for one in steps for other in steps if steps[one].scale[0] > 2 * steps[other].scale[0]]
    if not apart:
        return False
    one, other = edited.draw(apart)
    edited.set_steps(one, float(steps[other].scale[0]), float(steps[other].zero[0]))
    edited.set_steps(other, float(steps[one].scale[0]), float(steps[one].zero[0]))
    return True


def _noise(edited: Edited) -> bool:
    """Every range three times as wide, as inputs from another distribution would have it."""
    for tensor in edited.written():
        steps = edited.steps(tensor)
        edited.set_steps(tensor, 3 * float(steps.scale[0]), float(steps.zero[0]))
    return True


def _saturated_logits(edited: Edited) -> bool:
    """The outputs' range a quarter of what they need."""
    outputs = [each.inputs[0] for each in edited.network.operators if each.kind == "DEQUANTIZE"]
    places = [tensor for tensor in edited.written() if tensor in [*outputs, *edited.network.outputs]]
    if not places:
        return False
    steps = edited.steps(places[0])
    edited.set_steps(places[0], float(steps.scale[0]) / 4, float(steps.zero[0]))
    return True


def _channel_scale(edited: Edited) -> bool:
    """One channel's scale doubled, its integers as they were."""
    return _changed_scales(edited, lambda scales, place: np.where(np.arange(len(scales)) == place, 2 * scales, scales))


def _mean_scale(edited: Edited) -> bool:
    """One scale for all channels of a layer, their integers as they were."""
    return _changed_scales(edited, lambda scales, _: np.full(len(scales), scales.mean()))


def _swapped_channels(edited: Edited) -> bool:
    """The scales of a layer's channels in the opposite order."""
    return _changed_scales(edited, lambda scales, _: scales[::-1])


def _changed_scales(edited: Edited, change: Callable[[np.ndarray, int], np.ndarray]) -> bool:
    places = edited.weighted(channels=2)
    if not places:
        return False
    operator = edited.draw(places)
    scales = edited.steps(operator.inputs[ideal.WEIGHTS]).scale
    made = np.asarray(change(scales, edited.draw(list(range(len(scales))))), np.float32)
    edited.graph.tensors[operator.inputs[ideal.WEIGHTS]].quantization.scale = made
    data = edited.steps(operator.inputs[ideal.data_place(operator.kind)])
    edited.set_bias_steps(operator, made * np.float32(data.scale[0]))
    return bool((made != np.float32(scales)).any())


def _wrong_axis(edited: Edited) -> bool:
    """The axis of the channels' scales said to be another one."""
    places = edited.weighted(channels=2)
    if not places:
        return False
    held = edited.graph.tensors[edited.draw(places).inputs[ideal.WEIGHTS]]
    held.quantization.quantizedDimension = (held.quantization.quantizedDimension + 1) % len(held.shape)
    return True


def _changed_weights(change: Callable[[np.ndarray, "Edited"], np.ndarray]) -> Edit:
    def plant(edited: Edited) -> bool:
        places = edited.weighted()
        if not places:
            return False
        tensor = edited.draw(places).inputs[ideal.WEIGHTS]
        weights = edited.constant(tensor)
        made = change(weights.astype(np.int16), edited)
        edited.set_data(tensor, np.clip(made, -127, 127).astype(np.int8))
        return True

    return plant


def _one_negated(weights: np.ndarray, edited: Edited) -> np.ndarray:
    made = weights.copy().reshape(-1)
    large = np.flatnonzero(np.abs(made) > 64)
    place = edited.draw(list(large))
    made[place] = -made[place]
    return made.reshape(weights.shape)


def _changed_bias(change: Callable[[np.ndarray], np.ndarray]) -> Edit:
    def plant(edited: Edited) -> bool:
        places = edited.weighted(bias=True)
        if not places:
            return False
        tensor = edited.bias_of(edited.draw(places))
        assert tensor is not None
        bias = edited.constant(tensor)
        made = change(bias.astype(np.float64))
        edited.set_data(tensor, np.rint(made).astype(np.int32))
        return bool((np.rint(made) != bias).any())

    return plant


def _narrow_bias(bias: np.ndarray) -> np.ndarray:
    step = max(np.abs(bias).max() / 127, 1.0)
    return np.rint(bias / step) * step


def _no_activation(edited: Edited) -> bool:
    """A fused ReLU6 that clamps at another place."""
    places = [
        each
        for each in edited.network.operators
        if getattr(each.held.builtinOptions, "fusedActivationFunction", 0) == schema.ActivationFunctionType.RELU6
    ]
    if not places:
        return False
    operator = edited.graph.operators[edited.draw(places).position]
    operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU_N1_TO_1
    return True


# What a fault is, and what plants one.
FAULTS: Dict[str, Edit] = {
    "a zero point that clips": _moved_zero(64),
    "a zero point off by 16": _moved_zero(16),
    "a scale doubled": _scaled_range(2.0),
    "a range halved in one operator": _scaled_range(0.5),
    "a range cut to a tenth": _scaled_range(0.1),
    "a range ten times too wide": _scaled_range(10.0),
    "symmetric steps for what is never negative": _symmetric,
    "swapped tables of steps": _swapped_tensors,
    "calibration on noise": _noise,
    "saturated logits": _saturated_logits,
    "one channel's scale doubled": _channel_scale,
    "one scale for all channels": _mean_scale,
    "swapped scales of channels": _swapped_channels,
    "the wrong axis": _wrong_axis,
    "a bias lost": _changed_bias(lambda bias: 0 * bias),
    "a bias in int8": _changed_bias(_narrow_bias),
    "a bias doubled": _changed_bias(lambda bias: 2 * bias),
    "a bias rotated by one": _changed_bias(lambda bias: np.roll(bias, 1)),
    "weights in 4 bits": _changed_weights(lambda weights, _: np.rint(weights / 16) * 16),
    "one weight's sign flipped": _changed_weights(_one_negated),
    "weights mirrored": _changed_weights(lambda weights, _: weights[..., ::-1]),
    "ReLU1 for ReLU6": _no_activation,
}  # fmt: skip
KINDS: Tuple[str, ...] = tuple(FAULTS)
