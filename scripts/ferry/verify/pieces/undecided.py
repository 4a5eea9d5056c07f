"""Choices in a network, such as a top-k, that come out otherwise because of what float32 rounds by.

What is chosen so is neither right nor wrong: in float32 the values are equal. All that is computed from it differs, and
by any amount, though each piece is right. So the network is computed in float64 once more, with the choices as they
came out: what differs then is more than a choice.
"""

from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np
import onnx

from ferry.bisect.side import Side, Values
from ferry.evaluate.operators.comparison import COMPARISONS
from ferry.graph.subgraphs import inputs_of
from ferry.verify.pieces.region import Regions
from ferry.verify.pieces.stage_pieces import Choice, Undecided

# What makes an integer, a truth value or a whole number of what rounds.
CHOICES = {"ArgMax", "ArgMin", "Cast", "Ceil", "Floor", "NonZero", "Round", "Sign", "TopK", *COMPARISONS}
# Of a choice's argument: its mean error over its scale. It is what a whole network may be off by at most where all of
# its pieces are right and PyTorch's rounding is not known there.
WITHIN_ROUNDING = 2e-5
# For each choice that comes out otherwise the network is computed once more.
MOST_CHOICES = 16


class _Made(NamedTuple):
    """What came out of the choice ``node`` in a stage, and what there is to say of it."""

    node: onnx.NodeProto
    values: Values
    choice: Choice


def undecided(regions: Regions, side: Side, inputs: Values) -> Optional[Undecided]:
    """The choices that come out otherwise in ``side`` than in float64 on the network's ``inputs``; ``None``: none."""
    found = _Choices(regions, side, inputs)
    choices = found.force()
    return Undecided([made.choice for made in choices], found.outputs()) if choices else None


class _Choices:
    def __init__(self, regions: Regions, side: Side, inputs: Values):
        self._regions, self._side, self._inputs = regions, side, inputs
        self._graph = regions.side.model.graph
        self._points = {point.name: point for point in side.points}
        self._nodes = [
            node
            for node in self._graph.node
            if node.op_type in CHOICES and any(name in self._points for name in node.input)
        ]
        self._of_side: Dict[str, np.ndarray] = {}
        self._forced: List[_Made] = []

    def force(self) -> List[_Made]:
        """Find the choices that come out otherwise, in the graph's order, those before each as they came out."""
        left = self._nodes
        while left and len(self._forced) < MOST_CHOICES:
            exact = self._exact({name for node in left for name in self._variable(node)})
            for position, node in enumerate(left):
                made = self._made_otherwise(node, exact)
                if made is not None:
                    self._forced.append(made)
                    left = left[position + 1 :]
                    break
            else:
                break
        return self._forced

    def outputs(self) -> Dict[str, Optional[float]]:
        """By what share of its scale each output that hangs on a choice is off in the mean, the choices being equal."""
        reached: Set[str] = {name for made in self._forced for name in made.node.output}
        for node in self._graph.node:
            if not reached.isdisjoint(inputs_of(node)):
                reached.update(node.output)
        names = [info.name for info in self._graph.output if info.name in reached and info.name in self._points]
        exact = self._exact(set(names))
        return {name: _share(self._in_side(name), exact[name]) for name in names}

    def _made_otherwise(self, node: onnx.NodeProto, exact: Values) -> Optional[_Made]:
        given, worst = {name: exact[name] for name in self._variable(node)}, 0.0
        made = dict(given)
        for name, array in given.items():
            if array.dtype.kind == "f" and name in self._points:
                made[name] = self._in_side(name)
                share = _share(made[name], array)
                if share is None or share > WITHIN_ROUNDING:
                    return None
                worst = max(worst, share)
        wanted, came = self._regions.applied(node, given), self._regions.applied(node, made)
        differing, count = _differing(wanted, came)
        if not differing:
            return None
        argument = next(name for name in node.input if name in self._points)
        return _Made(node, came, Choice(node.name, node.op_type, argument, differing, count, worst))

    def _variable(self, node: onnx.NodeProto) -> Iterator[str]:
        return (name for name in node.input if name in self._regions.side.producer or name in self._inputs)

    def _exact(self, names: Set[str]) -> Values:
        forced = {name: array for made in self._forced for name, array in made.values.items()}
        return self._regions.exact(names, {**self._inputs, **forced}, [made.node for made in self._forced])

    def _in_side(self, name: str) -> np.ndarray:
        if name not in self._of_side:
            fed = {point: self._inputs[point.name] for point in self._side.inputs}
            made = self._side.opened(self._points[name], self._side.inputs)(fed)
            self._of_side[name] = made.astype(np.float64) if made.dtype.kind == "f" else made
        return self._of_side[name]


def _share(made: np.ndarray, exact: np.ndarray) -> Optional[float]:
    """The mean distance over the mean magnitude; ``None`` where there is none, or integers differ."""
    if made.shape != exact.shape or not exact.size or not (np.isfinite(made).all() and np.isfinite(exact).all()):
        return None
    if exact.dtype.kind != "f":
        return 0.0 if np.array_equal(made, exact) else None
    apart, scale = float(np.abs(made - exact).mean()), float(np.abs(exact).mean())
    return apart / scale if scale else None if apart else 0.0


def _differing(exact: Values, made: Values) -> Tuple[int, int]:
    """In how many elements the discrete ones of two results differ, and of how many."""
    discrete = [name for name, array in exact.items() if array.dtype.kind != "f" or (array == np.round(array)).all()]
    differing = count = 0
    for name in discrete:
        count += exact[name].size
        same = exact[name].shape == made[name].shape
        differing += int((exact[name] != made[name]).sum()) if same else exact[name].size
    return differing, count
