"""Which of a foreign file's inputs and outputs are which of PyTorch's, and in what layout.

By their names; else in their order, where the shapes fit; else in any order in which they do. Where shapes leave more
than one layout open the values decide: the arrangement in which the file is by far the nearest to PyTorch's outputs.
"""

import itertools
import re
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ferry.errors import VerificationError
from ferry.runtimes import TensorSpec
from ferry.runtimes.arrangement import LAYOUTS, Arrangement, Place, layouts

# What converters put around the user's names: serving_default_x:0, StatefulPartitionedCall:1.
_AROUND = re.compile(r"^(?:serving_default_)?(.*?)(?::\d+)?$")
# The nearest arrangement is taken for the right one where every other is off by so many times more.
BY_FAR = 3.0
MOST_TRIED = 256
GIVEN = re.compile(r"(\d+):(\S+)")

Tried = Callable[[Arrangement], float]


class Found(NamedTuple):
    """The arrangement, and a sentence that says how it was found."""

    arrangement: Arrangement
    how: str


def find(
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    their_inputs: Sequence[TensorSpec],
    their_outputs: Sequence[TensorSpec],
    tried: Tried,
    given: str = "",
) -> Found:
    """The one arrangement that the file has.

    Args:
        inputs: PyTorch's, as its outputs are in ``outputs``.
        their_inputs: the file's, in its order.
        tried: how far the file's outputs are from PyTorch's with an arrangement, over their scale.
        given: the user's ``IO=``, such as ``0:nhwc``: positions of PyTorch's inputs and then its outputs, with layouts.

    Raises:
        VerificationError: none fits, or several do and the values do not tell; the message lists them.
    """
    wanted = _given(given, len(inputs) + len(outputs))
    ins, how_in = _candidates(inputs, their_inputs, "input", wanted[: len(inputs)])
    outs, how_out = _candidates(outputs, their_outputs, "output", wanted[len(inputs) :])
    every = [Arrangement(one, other) for one, other in itertools.product(ins, outs)]
    how = how_in if how_in == how_out else f"inputs {how_in}, outputs {how_out}"
    if len(every) == 1:
        return Found(every[0], f"matched {how}: {described(every[0], inputs, outputs)}")
    chosen = _nearest(every[:MOST_TRIED], tried)
    if chosen is None:
        listed = " or ".join(f'IO="{_as_given(each)}"' for each in every[:6])
        raise VerificationError(
            f"the file's shapes fit {len(every)} layouts and its values do not tell which it has; say it by {listed}"
        )
    return Found(chosen, f"matched {how}, and in layout by values: {described(chosen, inputs, outputs)}")


def described(arrangement: Arrangement, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> str:
    """The arrangement in words: each tensor of PyTorch's, and where the file has it."""
    pairs = [*zip(inputs, arrangement.inputs), *zip(outputs, arrangement.outputs)]
    return ", ".join(
        f"{spec.name} is {'input' if number < len(inputs) else 'output'} {place.position} ({place.layout})"
        for number, (spec, place) in enumerate(pairs)
    )


def plain(name: str) -> str:
    """``name`` without what converters put around it."""
    match = _AROUND.match(name)
    return match.group(1) if match else name


def _candidates(
    ours: Sequence[TensorSpec], theirs: Sequence[TensorSpec], kind: str, wanted: Sequence[Optional[str]]
) -> Tuple[List[Tuple[Place, ...]], str]:
    if len(ours) != len(theirs):
        raise VerificationError(
            f"the file has {len(theirs)} {kind}s ({_listed(theirs)}) and PyTorch {len(ours)} ({_listed(ours)})"
        )
    names = [plain(spec.name) for spec in theirs]
    if sorted(names) == sorted(spec.name for spec in ours) and len(set(names)) == len(names):
        positions = [names.index(spec.name) for spec in ours]
        found = _places(ours, theirs, positions, wanted)
        if found:
            return found, "by name"
    in_order = _places(ours, theirs, range(len(ours)), wanted)
    if in_order:
        return in_order, "in order"
    any_order = [
        places
        for positions in itertools.islice(itertools.permutations(range(len(ours))), MOST_TRIED)
        for places in _places(ours, theirs, positions, wanted)
    ]
    if not any_order:
        raise VerificationError(
            f"the file's {kind}s ({_listed(theirs)}) are not PyTorch's ({_listed(ours)}), in no order and layout"
        )
    return any_order, "by shape"


def _places(
    ours: Sequence[TensorSpec],
    theirs: Sequence[TensorSpec],
    positions: Sequence[int],
    wanted: Sequence[Optional[str]],
) -> List[Tuple[Place, ...]]:
    choices = []
    for spec, position, layout in zip(ours, positions, wanted):
        # One that the user names may be another way to say the same.
        fitting = layouts(spec, theirs[position])
        if layout is not None:
            fitting = [layout] if layout in fitting or _fits(spec, theirs[position], layout) else []
        choices.append([Place(position, each) for each in fitting])
    return list(itertools.product(*choices))


def _fits(spec: TensorSpec, found: TensorSpec, layout: str) -> bool:
    alone = TensorSpec(spec.name, spec.shape, found.dtype)
    return bool(layouts(alone, found)) and layout in LAYOUTS


def _nearest(every: List[Arrangement], tried: Tried) -> Optional[Arrangement]:
    distances = [tried(each) for each in every]
    order = np.argsort(distances)
    best, second = (distances[place] for place in order[:2])
    return every[int(order[0])] if np.isfinite(best) and best * BY_FAR < second else None


def _given(text: str, count: int) -> List[Optional[str]]:
    wanted: List[Optional[str]] = [None] * count
    for word in text.split():
        match = GIVEN.fullmatch(word)
        if not match or match.group(2) not in LAYOUTS or int(match.group(1)) >= count:
            raise VerificationError(
                f"IO={text!r} is none: it has words such as 0:nhwc, a position of PyTorch's inputs and then its "
                f"outputs, 0 to {count - 1}, and a layout of {', '.join(LAYOUTS)}"
            )
        wanted[int(match.group(1))] = match.group(2)
    return wanted


def _as_given(arrangement: Arrangement) -> str:
    places = [*arrangement.inputs, *arrangement.outputs]
    return " ".join(f"{number}:{place.layout}" for number, place in enumerate(places))


def _listed(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name} {spec.dtype} {list(spec.shape)}" for spec in specs)
