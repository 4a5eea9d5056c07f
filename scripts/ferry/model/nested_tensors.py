"""Take tuples, lists, dictionaries and dataclasses of tensors apart into a flat list, name each, put them back."""

import copy
import dataclasses
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import torch

from ferry.errors import ModelFileError
from ferry.graph import tensor_names

Steps = Tuple[Any, ...]


class NotTensors(ModelFileError):
    """Something in the structure is neither a tensor nor a structure of tensors."""


class Leaf(NamedTuple):
    """A tensor and the way to it: positions in tuples and lists, keys of dictionaries, fields of what has such."""

    steps: Steps
    tensor: torch.Tensor


def leaves(thing: Any, constants_allowed: bool = False, dropped: Optional[List[str]] = None) -> List[Leaf]:
    """The tensors in ``thing``, in order. ``None`` is passed over; so are numbers where ``constants_allowed``.

    So is a cache of past keys and values, an object of a class of its own, whose name is added to ``dropped``.

    Raises:
        NotTensors: ``thing`` holds something else; the message says what it holds, and where.
    """
    return list(_walk(thing, (), constants_allowed, [] if dropped is None else dropped))


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
    if is_record(like):
        fields = {field.name: put_back(getattr(like, field.name), tensors) for field in dataclasses.fields(like)}
        return dataclasses.replace(like, **fields)
    return like


def is_record(thing: Any) -> bool:
    """Whether ``thing`` is an instance of a dataclass."""
    return dataclasses.is_dataclass(thing) and not isinstance(thing, type)


def is_cache(thing: Any) -> bool:
    """Whether ``thing`` is what decoders of today keep past keys and values in, such as a ``DynamicCache``."""
    return any(kind.__name__.endswith("Cache") for kind in type(thing).__mro__)


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


def _walk(thing: Any, steps: Steps, constants_allowed: bool, dropped: List[str]) -> Iterator[Leaf]:
    if isinstance(thing, torch.Tensor):
        yield Leaf(steps, thing)
        return
    parts = _parts(thing)
    if parts is not None:
        for step, part in parts:
            yield from _walk(part, (*steps, step), constants_allowed, dropped)
    elif steps and is_cache(thing):
        dropped.append(_keyed(steps) or "a cache")
    elif not (steps and (thing is None or (constants_allowed and isinstance(thing, (bool, int, float, str))))):
        where = "".join(f"[{step!r}]" for step in steps)
        raise NotTensors(kind(thing) + (f" at {where}" if where else ""))


def _parts(thing: Any) -> Optional[List[Tuple[Any, Any]]]:
    """What ``thing`` consists of, each part with the step that leads to it; None where it is no structure."""
    if isinstance(thing, dict):
        return [(key if isinstance(key, str) else repr(key), part) for key, part in thing.items()]
    if isinstance(thing, (tuple, list)):
        return list(zip(getattr(thing, "_fields", range(len(thing))), thing))
    if is_record(thing) and not is_cache(thing):
        return [(field.name, getattr(thing, field.name)) for field in dataclasses.fields(thing)]
    return None


def _keyed(steps: Steps) -> str:
    first = next((position for position, step in enumerate(steps) if isinstance(step, str)), len(steps))
    return "_".join(str(step) for step in steps[first:])
