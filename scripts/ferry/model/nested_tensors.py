"""Take tuples, lists and dictionaries of tensors apart into a flat list, with a name for each, and put them back."""

import copy
from typing import Any, Iterator, List, NamedTuple, Tuple

import torch

from ferry.errors import ModelFileError
from ferry.graph import tensor_names

Steps = Tuple[Any, ...]


class NotTensors(ModelFileError):
    """Something in the structure is neither a tensor nor a structure of tensors."""


class Leaf(NamedTuple):
    """A tensor and the way to it: positions in tuples and lists, keys of dictionaries, fields of named tuples."""

    steps: Steps
    tensor: torch.Tensor


def leaves(thing: Any, constants_allowed: bool = False) -> List[Leaf]:
    """The tensors in ``thing``, in order. ``None`` is passed over; so are numbers where ``constants_allowed``.

    Raises:
        NotTensors: ``thing`` holds something else; the message says what it holds, and where.
    """
    return list(_walk(thing, (), constants_allowed))


def put_back(like: Any, tensors: Iterator[torch.Tensor]) -> Any:
    """A structure like ``like`` in which each tensor is the next of ``tensors``."""
    if isinstance(like, torch.Tensor):
        return next(tensors)
    if isinstance(like, dict):
        made = copy.copy(like)
        made.update((key, put_back(part, tensors)) for key, part in like.items())
        return made
    if isinstance(like, (tuple, list)):
        parts = [put_back(part, tensors) for part in like]
        return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)
    return like


def names(found: List[Leaf], stem: str) -> List[str]:
    """A name for each leaf: the keys and fields that lead to it or, where there are none, ``stem`` and its position."""
    numbered = tensor_names.numbered(stem, len(found))
    return [_keyed(leaf.steps) or name for leaf, name in zip(found, numbered)]


def is_flat(thing: Any) -> bool:
    """Whether ``thing`` is a tensor or a tuple or list of tensors, as PyTorch's exporter takes and makes them."""
    return isinstance(thing, torch.Tensor) or (
        isinstance(thing, (tuple, list)) and all(isinstance(part, torch.Tensor) for part in thing)
    )


def kind(thing: Any) -> str:
    """What ``thing`` is, in a few words."""
    if isinstance(thing, torch.Tensor):
        return f"a tensor of shape {tuple(thing.shape)}"
    return "None" if thing is None else f"an object of type {type(thing).__name__}"


def _walk(thing: Any, steps: Steps, constants_allowed: bool) -> Iterator[Leaf]:
    if isinstance(thing, torch.Tensor):
        yield Leaf(steps, thing)
    elif isinstance(thing, dict):
        for key, part in thing.items():
            yield from _walk(part, (*steps, key if isinstance(key, str) else repr(key)), constants_allowed)
    elif isinstance(thing, (tuple, list)):
        fields = getattr(thing, "_fields", range(len(thing)))
        for step, part in zip(fields, thing):
            yield from _walk(part, (*steps, step), constants_allowed)
    elif not (steps and (thing is None or (constants_allowed and isinstance(thing, (bool, int, float, str))))):
        where = "".join(f"[{step!r}]" for step in steps)
        raise NotTensors(kind(thing) + (f" at {where}" if where else ""))


def _keyed(steps: Steps) -> str:
    first = next((position for position, step in enumerate(steps) if isinstance(step, str)), len(steps))
    return "_".join(str(step) for step in steps[first:])
