"""Every piece of a converted model, given what the network has there and probes, against its value in float64."""

from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from ferry.bisect.distance import PERTURBATION, ROUNDINGS, SMALLEST_FAULT, distance
from ferry.bisect.side import Point, Side, Values
from ferry.bisect.walk import felt_points
from ferry.errors import FerryError, first_line, foreign_errors
from ferry.evaluate.bounded import Bounded
from ferry.evaluate.registry import NotEvaluatedError
from ferry.runtimes import LIBRARIES
from ferry.verify.pieces.probes import SEEN, Probe, probes
from ferry.verify.pieces.region import Regions, narrowed
from ferry.verify.pieces.within_bound import Comparison, compare

# A bound above this share of the scale says too little: such a piece is held against what a disturbance does to it.
LOOSE = 1e-3
# Values held at a time: of more, the network is evaluated again.
LARGEST_CHUNK_BYTES = 1 << 28

Expected = Callable[[str, Values], Bounded]


class Examined(NamedTuple):
    """What came of one piece: the tensor ``point`` computed from ``sources``.

    ``wrong_on`` names the first probe on which it computes something else, ``excess`` times its bound and by ``share``
    of its scale; ``reached`` says whether it does so on the values that the network has there. ``resolution`` is the
    smallest share of the scale that was seen on any probe, and ``loose`` whether that was too large to judge by.
    ``rounding`` is the mean error over the scale on the values that the network has there. ``unjudged`` is why nothing
    could be said.
    """

    point: Point
    sources: Tuple[Point, ...]
    wrong_on: Optional[str] = None
    excess: float = 0.0
    share: float = 0.0
    reached: bool = False
    resolution: float = float("inf")
    loose: bool = False
    rounding: float = 0.0
    unjudged: Optional[str] = None


class Proof(NamedTuple):
    """What came of one model: all its pieces, and those of them that are wrong, in topological order."""

    pieces: List[Examined]
    wrong: List[Examined]


class Prover:
    """Holds the pieces of models, each a ``Side``, against ``expected``.

    Args:
        regions: the ONNX model that gives each piece its bound, and its inputs their values.
        inputs: what the network is given, by name.
        expected: gives a tensor its value in float64 and the bound; the regions themselves unless another is given.
    """

    def __init__(self, regions: Regions, inputs: Values, expected: Optional[Expected] = None):
        self._regions, self._inputs = regions, inputs
        self._expected = expected or regions.expected

    def prove(self, sides: Dict[str, Side]) -> Dict[str, Proof]:
        """The proof of each of the ``sides``. Where several have the same piece it is evaluated once."""
        known = {stage: {*side.inputs, *side.points} for stage, side in sides.items()}
        found: Dict[str, List[Examined]] = {stage: [] for stage in sides}
        for group, values in self._with_values(list(_grouped(sides, known))):
            for stage, examined in self._examine(sides, group, values).items():
                found[stage].append(examined)
        outputs = {info.name for info in self._regions.side.model.graph.output}
        return {
            stage: Proof(pieces, self._felt(sides[stage], known[stage], pieces, outputs))
            for stage, pieces in found.items()
        }

    def _with_values(self, groups: List["_Group"]) -> Iterator[Tuple["_Group", Values]]:
        chunk: List[_Group] = []
        names: Set[str] = set()
        sizes = {name: int(array.nbytes) for name, array in self._inputs.items()}
        sizes.update(self._regions.sizes())
        for group in groups:
            wanted = {group.name, *group.sources}
            if chunk and sum(sizes.get(name, 0) for name in names | wanted) > LARGEST_CHUNK_BYTES:
                yield from self._valued(chunk, names)
                chunk, names = [], set()
            chunk.append(group)
            names |= wanted
        yield from self._valued(chunk, names)

    def _valued(self, chunk: List["_Group"], names: Set[str]) -> Iterator[Tuple["_Group", Values]]:
        values = self._regions.values(names, self._inputs)
        for group in chunk:
            yield group, {name: values[name] for name in (group.name, *group.sources)}

    def _examine(self, sides: Dict[str, Side], group: "_Group", values: Values) -> Dict[str, Examined]:
        seen = {name: values[name] for name in group.sources}
        runs = [_Run(sides[stage], point, sources) for stage, (point, sources) in group.members.items()]
        request = self._regions.request(group.name, seen, values[group.name].size)
        unread = self._regions.unread(group.name, group.sources)
        for probe in probes(group.name, request):
            running = [run for run in runs if run.wanted]
            if not running:
                break
            try:
                given = self._given(probe, unread)
                expected = self._expected(group.name, {**self._beside(probe), **given.values})
            except NotEvaluatedError as error:
                for run in running:
                    run.stop(str(error))
                break
            for run in running:
                run.take(given, expected)
        for run in runs:
            if run.is_loose:
                run.judge_loosely(lambda given: self._expected(group.name, given).value)
        return {stage: run.examined() for stage, run in zip(group.members, runs)}

    def _given(self, probe: Probe, unread: Set[str]) -> Probe:
        """``probe`` as one network could have it: what ONNX computes from other sources of the piece is."""
        if probe.kind == SEEN or not unread:
            return probe
        return probe._replace(values=self._regions.completed(probe.values, unread))

    def _beside(self, probe: Probe) -> Values:
        """What else the ONNX nodes may read: the network's inputs, on the values that go with them."""
        return self._inputs if probe.kind == SEEN else {}

    def _felt(self, side: Side, known: Set[Point], pieces: List[Examined], outputs: Set[str]) -> List[Examined]:
        """The pieces that are wrong; not those that bear another tensor's name, where a side's names may be."""
        wrong = [each for each in pieces if each.wrong_on]
        if side.certain or not wrong:
            return wrong

        def differs(point: Point, sources: List[Point]) -> bool:
            names = {point.name, *(source.name for source in sources)}
            values = self._regions.values(names, self._inputs)
            group = _Group(point.name, tuple(sorted(names - {point.name})), {"": (point, tuple(sources))})
            if any(source.name == point.name for source in sources):
                group = group._replace(sources=tuple(sorted(names)))
            return self._examine({"": side}, group, values)[""].wrong_on is not None

        certain = _certain(wrong, pieces)
        doubtful = {each.point for each in wrong} - certain
        felt = felt_points(side, known, doubtful, outputs, differs) if doubtful else set()
        return [each for each in wrong if each.point in felt or each.point in certain]


def _certain(wrong: List[Examined], pieces: List[Examined]) -> Set[Point]:
    """The tensors of the ``wrong`` pieces that bear their own names for certain.

    One that bears another's is made up for somewhere: a piece that follows from it is wrong by its name as well. Where
    all that follow were judged and are right, the name is right too. So must be the names of what it is computed from.
    """
    doubtful = {piece.point for piece in pieces if piece.wrong_on or piece.unjudged is not None}
    users: Dict[Point, List[Examined]] = {}
    for piece in pieces:
        for source in piece.sources:
            users.setdefault(source, []).append(piece)

    def is_certain(point: Point) -> bool:
        left, seen = list(users.get(point, [])), set()
        while left:
            user = left.pop()
            if user.point in doubtful:
                return False
            if user.point not in seen:
                seen.add(user.point)
                left += users.get(user.point, [])
        return True

    return {piece.point for piece in wrong if doubtful.isdisjoint(piece.sources) and is_certain(piece.point)}


class _Group(NamedTuple):
    """The pieces that make the tensor ``name`` from the same ``sources``, by the stage that each is of."""

    name: str
    sources: Tuple[str, ...]
    members: Dict[str, Tuple[Point, Tuple[Point, ...]]]


def _grouped(sides: Dict[str, Side], known: Dict[str, Set[Point]]) -> Iterator[_Group]:
    groups: Dict[Tuple[str, Tuple[str, ...], int], _Group] = {}
    for stage, side in sides.items():
        for point in side.points:
            sources = tuple(side.sources(point, known[stage]))
            names = tuple(sorted({source.name for source in sources}))
            # A model may hold one tensor in two layouts: each is a piece of its own.
            place = 0
            while stage in groups.setdefault((point.name, names, place), _Group(point.name, names, {})).members:
                place += 1
            groups[point.name, names, place].members[stage] = (point, sources)
    yield from groups.values()


class _Run:
    """One piece of one side, probe after probe."""

    def __init__(self, side: Side, point: Point, sources: Sequence[Point]):
        self._side, self._point, self._sources = side, point, tuple(sources)
        self._compute: Optional[Callable[[Dict[Point, np.ndarray]], np.ndarray]] = None
        self._worst: Optional[Tuple[str, Comparison]] = None
        self._reached, self._resolution, self._loose = False, float("inf"), False
        self._rounding = 0.0
        self._seen: Optional[Tuple[Values, np.ndarray, Bounded]] = None
        self.unjudged: Optional[str] = None

    @property
    def wanted(self) -> bool:
        """Whether there is anything left to learn."""
        return self._worst is None and self.unjudged is None

    def stop(self, reason: str) -> None:
        """No more can be known: nothing, or nothing beyond the values that the network has there."""
        if self._seen is None:
            self.unjudged = reason
        else:
            self._loose = True

    def take(self, probe: Probe, expected: Bounded) -> None:
        """Run the piece on ``probe`` and hold it against ``expected``."""
        try:
            with foreign_errors("its runtime refuses it", *LIBRARIES):
                if self._compute is None:
                    self._compute = self._side.opened(self._point, self._sources)
                made = self._compute({source: probe.values[source.name] for source in self._sources})
        except FerryError as error:
            # What a runtime refuses to compute it does not compute wrongly; on the network's own values it is said.
            if probe.kind == SEEN:
                self.unjudged = first_line(error)
            return
        found = compare(made, expected, infinities=probe.kind == SEEN)
        self._resolution = min(self._resolution, found.resolution)
        if probe.kind == SEEN:
            self._seen, self._rounding = (probe.values, made, expected), found.mean_share
        if found.wrong:
            self._worst = (probe.kind, found)
            self._reached = probe.kind == SEEN

    @property
    def is_loose(self) -> bool:
        """Whether no probe showed anything as small as a fault may be."""
        return self._worst is None and self.unjudged is None and self._resolution > LOOSE and self._seen is not None

    def judge_loosely(self, evaluate: Callable[[Values], np.ndarray]) -> None:
        """By what a disturbance of the inputs does, in float64, on the values that the network has there."""
        assert self._seen is not None
        values, made, expected = self._seen
        self._loose = True
        wanted = narrowed(expected.value)
        apart = distance(made, wanted)
        if apart <= SMALLEST_FAULT:
            return
        generator = np.random.RandomState(0)
        changed = {
            name: narrowed(array * (1 + PERTURBATION * generator.standard_normal(array.shape)))
            if array.dtype.kind == "f"
            else array
            for name, array in values.items()
        }
        allowed = ROUNDINGS * distance(evaluate(changed), expected.value)
        if not apart <= max(allowed, SMALLEST_FAULT):
            self._worst = (SEEN, Comparison(apart / max(allowed, SMALLEST_FAULT), apart, allowed))
            self._reached = True

    def examined(self) -> Examined:
        """What came of it."""
        kind, found = self._worst or (None, Comparison(0.0, 0.0, 0.0))
        return Examined(
            self._point, self._sources, kind, found.excess, found.share, self._reached, self._resolution, self._loose,
            self._rounding, self.unjudged,
        )  # fmt: skip
