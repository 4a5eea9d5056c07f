"""What a piece is given beside the values that the network has there: values that a fault shows on."""

import math
import zlib
from typing import Callable, Dict, Iterator, List, NamedTuple, Sequence, Set

import numpy as np

from ferry.bisect.side import Values

SEEN = "the values that the network has there"
# Beyond what was seen: a clamp, a ReLU6 or a branch that the user's inputs do not reach.
BEYOND = (1.0, 4.0, 30.0)
# Far below it: an epsilon beside a variance.
SMALL = 1e-3
# A bound is of as many roundings as a sum has terms: with few terms a single weight shows.
TERMS, FEWEST_TERMS = 64, 8
# How often a weight is to meet a value that is not zero.
MEETINGS = 3
MOST_SPARSE = 20
# Positions from which on a random mask meets every weight.
MANY_POSITIONS = 32
# A table is read whole, in as many runs as it takes, up to this many.
MOST_TABLE_RUNS = 4096


class Probe(NamedTuple):
    """What the sources of a piece are given, by ONNX name, and what that is, in words."""

    kind: str
    values: Values


class Request(NamedTuple):
    """What the probes of a piece depend on.

    ``seen`` are its sources' values on a real input. ``fixed`` are sources that must stay in the range seen, since they
    are indices. ``tables`` has the number of rows that a source indexes. ``terms`` is how many terms its longest sum
    has, 0 where it has none, and ``positions`` how often each of its weights is used. ``elementwise`` says whether each
    element of the output is made from one of each source alone, so that one probe may hold values of all kinds.
    """

    seen: Values
    fixed: Set[str]
    tables: Dict[str, int]
    terms: int
    positions: int
    elementwise: bool


def probes(name: str, request: Request) -> Iterator[Probe]:
    """The probes of the piece that makes the tensor ``name``: the same each time, the values seen first."""
    generator = np.random.RandomState(zlib.crc32(name.encode()))
    yield Probe(SEEN, request.seen)
    yield from _tables(request)
    free = [source for source in request.seen if source not in request.fixed]
    if not any(request.seen[source].dtype.kind in "fb" for source in free):
        return
    yield Probe("random values up to 30 times the range seen, ties and zeros", _mixed(generator, request, free))
    if request.elementwise:
        return
    yield Probe("random values in the range seen", _random(generator, request, 1.0))
    yield Probe("values a thousandth as large", _random(generator, request, SMALL))
    yield Probe("zeros", _changed(request, np.zeros_like))
    if request.terms > FEWEST_TERMS:
        yield from _sparse(generator, request)


def _changed(request: Request, change: Callable[[np.ndarray], np.ndarray]) -> Values:
    return {
        source: change(array) if array.dtype.kind in "fb" and source not in request.fixed else array
        for source, array in request.seen.items()
    }


def _random(generator: np.random.RandomState, request: Request, multiple: float) -> Values:
    def drawn(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind == "b":
            return np.asarray(generator.randint(0, 2, array.shape).astype(bool))
        width = _range(array) * multiple
        return np.asarray(generator.uniform(-width, width, array.shape), array.dtype)

    return _changed(request, drawn)


def _range(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0)) or 1.0


def _mixed(generator: np.random.RandomState, request: Request, free: Sequence[str]) -> Values:
    """Values of all sizes side by side; some are whole or half numbers, and some zero."""
    values = _random(generator, request, 1.0)
    for source in free:
        array = values[source]
        if array.dtype.kind == "f":
            kind = generator.randint(0, 8, array.shape)
            multiples = np.array([*BEYOND, *BEYOND, SMALL, 1.0])[kind]
            made = np.where((kind >= 3) & (kind < 6), np.round(array * multiples * 2) / 2, array * multiples)
            values[source] = np.asarray(np.where((kind == 7) & (array < 0), 0.0, made), array.dtype)
    return values


def _sparse(generator: np.random.RandomState, request: Request) -> Iterator[Probe]:
    """Values most of which are zero, so that a sum has few terms; together they meet every weight."""
    kind = "values most of which are zero"
    groups = math.ceil(request.terms / TERMS)
    if request.positions >= MANY_POSITIONS:
        count = math.ceil(MEETINGS * groups / request.positions)
        shares = [1 / groups] * min(max(count, 1), MOST_SPARSE)
    else:
        shares = []
        groups = min(groups, MOST_SPARSE)
        orders = {
            source: generator.permutation(array.size).reshape(array.shape) for source, array in request.seen.items()
        }
        for group in range(groups if groups > 1 else 0):
            whole = _random(generator, request, 1.0)
            yield Probe(kind, _kept(request, whole, {name: order % groups == group for name, order in orders.items()}))
    for share in [*shares, FEWEST_TERMS / request.terms]:
        if share < 1:
            whole = _random(generator, request, 1.0)
            masks = {name: generator.random_sample(array.shape) < share for name, array in whole.items()}
            yield Probe(kind, _kept(request, whole, masks))


def _kept(request: Request, whole: Values, masks: Dict[str, np.ndarray]) -> Values:
    return {
        source: np.where(masks[source], array, np.zeros_like(array))
        if array.dtype.kind == "f" and source not in request.fixed
        else array
        for source, array in whole.items()
    }


def _tables(request: Request) -> Iterator[Probe]:
    for source, rows in request.tables.items():
        array = request.seen[source]
        runs = min(math.ceil(rows / max(array.size, 1)), MOST_TABLE_RUNS)
        for run in range(runs):
            index = (np.arange(array.size) + run * array.size) % rows
            yield Probe("every row of its table", {**request.seen, source: _shaped(index, array)})


def _shaped(index: np.ndarray, like: np.ndarray) -> np.ndarray:
    return index.reshape(like.shape).astype(like.dtype)


def rows_read(request: Request) -> List[str]:
    """The sources whose table is too long to be read whole."""
    return [
        source
        for source, rows in request.tables.items()
        if math.ceil(rows / max(request.seen[source].size, 1)) > MOST_TABLE_RUNS
    ]
