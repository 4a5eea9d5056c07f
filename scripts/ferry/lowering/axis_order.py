"""Permutations of axes in few axes: those that stay side by side are one, and those of size 1 are none.

TFLite's TRANSPOSE takes five axes; what has more goes to TensorFlow's own operator, by way of Flex.
"""

import itertools
from typing import List, NamedTuple, Sequence, Tuple

MOST_AXES = 5


class Step(NamedTuple):
    """A reshape to ``shape`` and a transpose of that by ``permutation``."""

    shape: List[int]
    permutation: List[int]


def steps(sizes: Sequence[int], permutation: Sequence[int], most: int = MOST_AXES) -> List[Step]:
    """Transposes of at most ``most`` axes that together permute the axes of a tensor of static ``sizes``.

    There is one for most permutations, and none where no value moves. The last one's result has the values of the
    transposed tensor in order, in a shape of its own.
    """
    merged = _merged(sizes, permutation)
    if len(merged.permutation) < 2:
        return []
    if len(merged.permutation) <= most:
        return [merged]
    # Of all transposes of so many runs of axes, the one that leaves the least to do comes first.
    first = min(_moves(len(merged.permutation), most), key=lambda move: _left(merged, move)[1])
    shape, rest = [merged.shape[axis] for axis in first], _left(merged, first)[0]
    return [_merged(merged.shape, first), *steps(shape, rest, most)]


def _left(wanted: Step, move: Sequence[int]) -> Tuple[List[int], int]:
    """The permutation that remains of ``wanted`` after ``move``, and how many axes it has once they are merged."""
    rest = [list(move).index(axis) for axis in wanted.permutation]
    return rest, len(_merged([wanted.shape[axis] for axis in move], rest).permutation)


def _moves(rank: int, most: int) -> List[Tuple[int, ...]]:
    """The permutations of ``rank`` axes that put ``most`` runs of neighbours into another order."""
    found: List[Tuple[int, ...]] = []
    for cuts in itertools.combinations(range(1, rank), most - 1):
        runs = [range(start, stop) for start, stop in zip((0, *cuts), (*cuts, rank))]
        found.extend(tuple(itertools.chain(*order)) for order in itertools.permutations(runs))
    return found


def _merged(sizes: Sequence[int], permutation: Sequence[int]) -> Step:
    groups: List[List[int]] = []
    for axis in (axis for axis in permutation if sizes[axis] != 1):
        follows = (
            bool(groups)
            and axis > groups[-1][-1]
            and all(sizes[between] == 1 for between in range(groups[-1][-1] + 1, axis))
        )
        if follows:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    order = sorted(range(len(groups)), key=lambda place: groups[place][0])
    shape = []
    for place in order:
        size = 1
        for axis in groups[place]:
            size *= sizes[axis]
        shape.append(size)
    return Step(shape, [order.index(place) for place in range(len(groups))])
