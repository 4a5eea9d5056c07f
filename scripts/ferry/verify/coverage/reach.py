"""What there is to be reached in an ONNX graph, and how much of it was, by the extremes of its tensors."""

from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np
import onnx
from onnx import numpy_helper

from ferry.graph.attributes import attribute
from ferry.graph.subgraphs import inputs_of
from ferry.verify.coverage.input_coverage import OneSided
from ferry.verify.coverage.kinks import Shape, shape_of
from ferry.verify.coverage.observed import Channels, Extremes

# Through these a channel stays a channel.
CHANNEL_BY_CHANNEL = {"BatchNormalization", "Cast", "Dropout", "Identity"}
WITH_A_CONSTANT = {"Add", "Div", "Mul", "Sub"}
CHANNELS_LAST = {"Gemm", "GRU", "LSTM", "MatMul", "RNN"}

Seen = Dict[Channels, Extremes]


class WeightUse(NamedTuple):
    """A weight: in each of its ``groups`` ``made`` channels of one tensor from ``read`` channels of another.

    Each pair of channels has ``taps`` elements.
    """

    weight: str
    groups: int
    made: int
    read: int
    taps: int
    reads: Channels
    makes: Channels


class Activation(NamedTuple):
    """An activation and the channels of its argument."""

    node: onnx.NodeProto
    shape: Shape
    argument: Channels


class Table(NamedTuple):
    """The ``rows`` of the weight ``name`` that the tensor ``read_by`` picks from, each of ``width`` elements."""

    name: str
    read_by: str
    rows: int
    width: int


class Reach:
    """The weights, tables and activations of ``model``."""

    def __init__(self, model: onnx.ModelProto):
        self._nodes = list(model.graph.node)
        self._weights = {entry.name: entry for entry in model.graph.initializer}
        self._made_by = {name: node for node in self._nodes for name in node.output}
        self._outputs = {info.name for info in model.graph.output}
        self._readers: Dict[str, List[onnx.NodeProto]] = {}
        for node in self._nodes:
            for name in inputs_of(node):
                self._readers.setdefault(name, []).append(node)
        self.uses = [use for node in self._nodes for use in self._uses(node)]
        self.tables = [table for node in self._nodes for table in self._tables(node)]
        self.activations = [
            Activation(node, shape, self._channels(node.input[0]))
            for node in self._nodes
            for shape in [shape_of(node, self._constant)]
            if shape is not None
        ]
        self._flat = {each.node.output[0]: each.shape for each in self.activations}

    @property
    def wanted(self) -> Set[Channels]:
        """The tensors whose extremes are needed."""
        return {*(use.reads for use in self.uses), *(each.argument for each in self.activations)}

    def weights_reached(self, seen: Seen) -> Tuple[int, int]:
        """How many elements the weights have, tables left out, and how many of them were reached in any use."""
        found: Dict[str, List[Tuple[WeightUse, np.ndarray, np.ndarray]]] = {}
        for use in self.uses:
            read = self._met(use.reads, use.groups * use.read, seen)
            made = self._alive(use.makes, use.groups * use.made, seen)
            vectors = made.reshape(use.groups, use.made), read.reshape(use.groups, use.read)
            found.setdefault(use.weight, []).append((use, *vectors))
        whole = reached = 0
        for uses in found.values():
            use, made, read = uses[0]
            whole += use.groups * use.made * use.read * use.taps
            if len(uses) == 1:
                reached += use.taps * int((made.sum(axis=1, dtype=np.int64) * read.sum(axis=1)).sum())
            else:
                masks = (each[1][:, :, None] & each[2][:, None, :] for each in uses)
                reached += use.taps * int(np.logical_or.reduce(list(masks)).sum())
        return whole, reached

    def one_sided(self, seen: Seen) -> List[OneSided]:
        """The activations that no channel took beyond one of their kinks, on either side."""
        found: List[OneSided] = []
        for activation in self.activations:
            extremes = seen.get(activation.argument)
            for kink in activation.shape.kinks if extremes is not None else ():
                assert extremes is not None
                sides = {"below": extremes.lowest.min() < kink, "above": extremes.highest.max() > kink}
                found.extend(
                    OneSided(activation.node.name, activation.node.op_type, side, kink)
                    for side, reached in sides.items()
                    if not reached
                )
        return found

    def channels(self, seen: Seen) -> Tuple[int, int, int]:
        """How many channels the arguments of flat activations have, and how many are dead and saturated throughout."""
        count = dead = saturated = 0
        for activation in self.activations:
            extremes, shape = seen.get(activation.argument), activation.shape
            if extremes is not None and (np.isfinite(shape.flat_below) or np.isfinite(shape.flat_above)):
                count += extremes.lowest.size
                dead += int(shape.dead(extremes).sum())
                saturated += int((shape.saturated(extremes) & ~shape.dead(extremes)).sum())
        return count, dead, saturated

    def _met(self, channels: Channels, count: int, seen: Seen) -> np.ndarray:
        """Which channels held anything but zero; all where that was not observed."""
        extremes = seen.get(channels)
        if extremes is None or extremes.lowest.size != count:
            return np.ones(count, bool)
        return np.asarray((extremes.lowest != 0) | (extremes.highest != 0))

    def _alive(self, channels: Channels, count: int, seen: Seen) -> np.ndarray:
        """Which channels came through whatever reads them; all where that is not known."""
        name, axis = channels
        alive = np.zeros(count, bool)
        for node in self._readers.get(name, []) if name not in self._outputs else []:
            shape = self._flat.get(node.output[0])
            extremes = seen.get((name, axis))
            if shape is not None and node.input[0] == name and extremes is not None and extremes.lowest.size == count:
                alive |= ~(shape.dead(extremes) | shape.saturated(extremes))
            elif self._keeps_channels(node, name):
                alive |= self._alive((node.output[0], axis), count, seen)
            else:
                return np.ones(count, bool)
        return alive if self._readers.get(name) and name not in self._outputs else np.ones(count, bool)

    def _keeps_channels(self, node: onnx.NodeProto, name: str) -> bool:
        if node.op_type in CHANNEL_BY_CHANNEL:
            return bool(node.input[0] == name)
        others = [each for each in node.input if each != name]
        return node.op_type in WITH_A_CONSTANT and len(others) == 1 and self._constant(others[0]) is not None

    def _channels(self, name: str) -> Channels:
        """The tensor ``name`` with the axis along which its channels lie, by what made it."""
        node, met = self._made_by.get(name), 0
        while node is not None and met < len(self._nodes):
            if node.op_type in CHANNELS_LAST:
                return name, -1
            if node.op_type not in CHANNEL_BY_CHANNEL | WITH_A_CONSTANT:
                break
            variable = [each for each in node.input if each in self._made_by and self._constant(each) is None]
            node, met = self._made_by.get(variable[0]) if variable else None, met + 1
        return name, 1

    def _uses(self, node: onnx.NodeProto) -> Iterator[WeightUse]:
        entry = self._weights.get(node.input[1]) if len(node.input) > 1 else None
        if entry is None:
            return
        dims, reads, makes = [int(each) for each in entry.dims], node.input[0], node.output[0]
        groups, taps = int(attribute(node, "group", 1)), int(np.prod(dims[2:], dtype=np.int64))
        if node.op_type == "Conv":
            yield WeightUse(entry.name, groups, dims[0] // groups, dims[1], taps, (reads, 1), (makes, 1))
        elif node.op_type == "ConvTranspose":
            yield WeightUse(entry.name, groups, dims[1], dims[0] // groups, taps, (reads, 1), (makes, 1))
        elif node.op_type == "Gemm":
            made, read = dims if attribute(node, "transB", 0) else dims[::-1]
            yield WeightUse(
                entry.name, 1, made, read, 1, (reads, 0 if attribute(node, "transA", 0) else -1), (makes, -1)
            )
        elif node.op_type == "MatMul" and len(dims) >= 2:
            batch = int(np.prod(dims[:-2], dtype=np.int64))
            yield WeightUse(entry.name, 1, dims[-1], dims[-2], batch, (reads, -1), (makes, -1))
        elif node.op_type in CHANNELS_LAST and len(dims) == 3:
            yield WeightUse(entry.name, 1, dims[0] * dims[1], dims[2], 1, (reads, -1), ("", -1))

    def _tables(self, node: onnx.NodeProto) -> Iterator[Table]:
        if node.op_type != "Gather" or node.input[0] not in self._weights or self._constant(node.input[1]) is not None:
            return
        dims = self._weights[node.input[0]].dims
        rows = int(dims[attribute(node, "axis", 0)])
        yield Table(node.input[0], node.input[1], rows, int(np.prod(dims, dtype=np.int64)) // max(rows, 1))

    def _constant(self, name: str) -> Optional[np.ndarray]:
        if name in self._weights:
            return np.asarray(numpy_helper.to_array(self._weights[name]))
        node = self._made_by.get(name)
        if node is not None and node.op_type == "Constant" and attribute(node, "value") is not None:
            return np.asarray(numpy_helper.to_array(attribute(node, "value")))
        return None
