"""Stand-ins for large weights, so that TensorFlow's converter need not hold them.

It holds a graph's constants seven times over, but those whose elements are all equal once at a time. So each large
weight is one number that no other has, the file is found to hold that number in the weight's place, and the weight is
written there. Two runs, with numbers of opposite signs, have to agree in all else: what was computed from one differs.
"""

from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import tflite as schema
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from ferry.frozen.light_graph import LARGE_BYTES, Constant, LightGraph, fill

# With fewer bytes of weights than this the converter is given the weights themselves.
FEWEST_BYTES = 1 << 26
# As float32, numbers near 2.3e18; the sign is the run's.
_FIRST_BITS, _SIGN = 0x5E000001, 0x80000000
_PIECE = 1 << 20
# The first element of a stand-in says which one it is.
MARK_BYTES = 4


class StandIn(NamedTuple):
    """What stands for a constant: ``bits`` in each element. TFLite keeps it in ``shape``, its axes in ``order``."""

    bits: int
    constant: Constant
    order: Tuple[int, ...]
    shape: Tuple[int, ...]

    def values(self) -> np.ndarray:
        """The constant, as TFLite keeps it."""
        return np.ascontiguousarray(self.constant.array().transpose(self.order))


class Hole(NamedTuple):
    """Where a stand-in is in a model, in bytes."""

    start: int
    end: int
    stand_in: StandIn


def chosen(light: LightGraph) -> Dict[str, StandIn]:
    """Stand-ins, by node, for the constants of which it is known how TFLite keeps them; none if that saves little."""
    readers: Dict[str, List[Tuple[NodeDef, int]]] = {}
    for node in light.graph_def.node:
        for position, name in enumerate(node.input):
            readers.setdefault(name.split(":")[0].lstrip("^"), []).append((node, position))
    found: Dict[str, StandIn] = {}
    for name, constant in light.constants.items():
        shape = constant.shape
        kept = {_kept(node, position, shape) for node, position in readers.get(name, [])}
        if len(kept) == 1:
            for order, stored in filter(None, kept):
                found[name] = StandIn(_FIRST_BITS + len(found), constant, order, stored)
    total = sum(each.constant.nbytes for each in found.values())
    return found if total >= FEWEST_BYTES else {}


def _kept(node: NodeDef, position: int, shape: Sequence[int]) -> Optional[Tuple[Tuple[int, ...], Tuple[int, ...]]]:
    """The order of axes and the shape in which TFLite keeps what ``node`` reads at ``position``, where it is known."""
    same = tuple(range(len(shape)))
    orders = {
        ("MatMul", 1): same if node.attr["transpose_b"].b else (1, 0),
        ("Conv2D", 1): (3, 0, 1, 2),
        ("Conv2DBackpropInput", 1): (2, 0, 1, 3),
        ("DepthwiseConv2dNative", 1): same,
        ("GatherV2", 0): same,
    }
    order = orders.get((node.op, position))
    if order is None:
        return None
    if node.op == "DepthwiseConv2dNative":
        return order, (1, shape[0], shape[1], shape[2] * shape[3])
    return order, tuple(shape[axis] for axis in order)


def graph_with(light: LightGraph, stand_ins: Dict[str, StandIn], negative: bool = False) -> GraphDef:
    """The graph with ``stand_ins``, and with all other constants as they are."""
    made = GraphDef()
    made.CopyFrom(light.graph_def)
    for node in made.node:
        if node.name in stand_ins:
            bits = stand_ins[node.name].bits | (_SIGN if negative else 0)
            tensor = node.attr["value"].tensor
            tensor.ClearField("float_val")
            tensor.float_val.append(float(np.array(bits, np.uint32).view(np.float32)))
        elif node.name in light.constants:
            fill(node, light.constants[node.name].array())
    return made


def find(data: memoryview, stand_ins: Dict[str, StandIn], negative: bool = False) -> List[Hole]:
    """Where the stand-ins are in the model ``data``, in order: each in a tensor of its shape, and in all elements."""
    by_bits = {each.bits | (_SIGN if negative else 0): each for each in stand_ins.values()}
    return [hole for hole, words in _candidates(data, by_bits) if _all_equal(words)]


def find_marked(data: memoryview, stand_ins: Dict[str, StandIn]) -> List[Hole]:
    """The same where of each stand-in its mark is left, and the rest is zero."""
    by_bits = {each.bits: each for each in stand_ins.values()}
    return [hole for hole, words in _candidates(data, by_bits) if not words[1 : LARGE_BYTES // 4].any()]


def _candidates(data: memoryview, by_bits: Dict[int, StandIn]) -> Iterator[Tuple[Hole, np.ndarray]]:
    model = schema.Model.GetRootAsModel(data, 0)
    shapes: Dict[int, List[Tuple[int, ...]]] = {}
    for place in range(model.SubgraphsLength()):
        graph = model.Subgraphs(place)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            shape = tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
            shapes.setdefault(tensor.Buffer(), []).append(shape)
    holes = []
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        field = table.Offset(4)
        size = table.VectorLen(field) if field else 0
        if size < LARGE_BYTES or size % 4:
            continue
        start = table.Vector(field)
        words = np.frombuffer(data, np.uint32, size // 4, start)
        stand_in = by_bits.get(int(words[0]))
        if stand_in is None or stand_in.constant.nbytes != size:
            continue
        if all(shape == stand_in.shape for shape in shapes.get(index, [()])):
            holes.append((Hole(start, start + size, stand_in), words))
    return iter(sorted(holes, key=lambda entry: entry[0].start))


def _all_equal(words: np.ndarray) -> bool:
    return all((words[start : start + _PIECE] == words[0]).all() for start in range(0, len(words), _PIECE))


def gaps(holes: Sequence[Hole], size: int) -> List[Tuple[int, int]]:
    """The ranges of a model of ``size`` bytes that are in none of the ``holes``."""
    starts = [0, *(hole.end for hole in holes)]
    ends = [*(hole.start for hole in holes), size]
    return list(zip(starts, ends))
