"""Give each piece of a model the values of the model it was built from, and see which makes something else of them."""

from typing import Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

import numpy as np

from ferry.bisect.distance import distance, is_fault, rounding
from ferry.bisect.side import Point, Reference, Side, Values
from ferry.worker import report_step

# What the tensors held at a time may take; more of them are computed in several passes.
LARGEST_CHUNK_BYTES = 1 << 29


class Difference(NamedTuple):
    """A piece that computes something else: the tensor it makes, those it reads, and how far its output is off."""

    point: Point
    sources: List[Point]
    error: float


def walk(
    reference: Reference, side: Side, inputs: Values, outputs: Set[str], sizes: Dict[str, int]
) -> List[Difference]:
    """The pieces of ``side`` that compute something else than ``reference`` does on ``inputs``, in topological order.

    ``outputs`` are the model's own; ``sizes`` are the tensors' sizes in bytes, by ONNX name.
    """
    known = {*side.inputs, *side.points}
    differences: List[Difference] = []
    for chunk in _chunks(side, known, sizes):
        names = {entry.name for point, sources in chunk for entry in (point, *sources)}
        values = reference.values(names, inputs)
        for point, sources in chunk:
            found, at_fault = _try(side, point, sources, values)
            if at_fault:
                differences.append(found)
    return differences if side.certain else _without_misnamed(reference, side, inputs, known, differences, outputs)


def error_from_inputs(reference: Reference, side: Side, inputs: Values, point: Point) -> float:
    """How far ``point`` is off when ``side`` computes it from the model's inputs."""
    if point in side.inputs:
        return 0.0
    given = {entry: inputs[entry.name] for entry in side.sources(point, set(side.inputs))}
    report_step(f"{side.described(point)} and all before it")
    return distance(side.compute(point, given), reference.values([point.name], inputs)[point.name])


def _try(side: Side, point: Point, sources: List[Point], values: Values) -> Tuple[Difference, bool]:
    given = {source: values[source.name] for source in sources}
    wanted = values[point.name]

    def compute(changed: Dict[Point, np.ndarray]) -> np.ndarray:
        return side.compute(point, changed)

    report_step(side.described(point))
    made = compute(given)
    found = Difference(point, sources, distance(made, wanted))
    if not is_fault(made, wanted):
        return found, False
    return found, not np.isfinite(found.error) or found.error > rounding(compute, given)


def _without_misnamed(
    reference: Reference,
    side: Side,
    inputs: Values,
    known: Set[Point],
    differences: List[Difference],
    outputs: Set[str],
) -> List[Difference]:
    def differs(point: Point, sources: List[Point]) -> bool:
        values = reference.values({entry.name for entry in (point, *sources)}, inputs)
        return _try(side, point, sources, values)[1]

    felt = felt_points(side, known, {difference.point for difference in differences}, outputs, differs)
    return [difference for difference in differences if difference.point in felt]


def felt_points(
    side: Side,
    known: Set[Point],
    suspects: Set[Point],
    outputs: Set[str],
    differs: Callable[[Point, List[Point]], bool],
) -> Set[Point]:
    """Those of the ``suspects`` that are felt in what is computed from them.

    The others only bear another tensor's name: all that is computed across them, as ``differs`` is asked about each
    point with its sources, is as it should be.
    """
    trusted = {point for point in known if point not in suspects or point.name in outputs}
    felt: Set[Point] = set()
    for point in side.points:
        sources = side.sources(point, known)
        if point not in trusted or suspects.isdisjoint([point, *sources]):
            continue
        if differs(point, side.sources(point, trusted)):
            reached = [point, *sources]
            while reached:
                entry = reached.pop()
                if entry in suspects and entry not in felt:
                    felt.add(entry)
                    reached.extend(side.sources(entry, known))
    return felt


def _chunks(side: Side, known: Set[Point], sizes: Dict[str, int]) -> Iterator[List[Tuple[Point, List[Point]]]]:
    chunk: List[Tuple[Point, List[Point]]] = []
    held: Set[str] = set()
    for point in side.points:
        sources = side.sources(point, known)
        names = {entry.name for entry in (point, *sources)}
        if chunk and sum(sizes.get(name, 0) for name in held | names) > LARGEST_CHUNK_BYTES:
            yield chunk
            chunk, held = [], set()
        chunk.append((point, sources))
        held |= names
    if chunk:
        yield chunk
