"""Put the weights that a checkpoint holds into a module, or say which do not fit and what was probably meant."""

import difflib
from typing import Any, Dict, Iterator, List, Set

import torch

from ferry.errors import InputFileError
from ferry.model import checkpoint_file

Weights = Dict[str, torch.Tensor]

# Checkpoints nest the weights one or two dictionaries deep.
DEEPEST = 3
# A message names this many keys at most.
NAMED = 3
# Training counts batches in it; an old checkpoint may lack it, and no inference reads it.
COUNTER = "num_batches_tracked"


def load_into(module: torch.nn.Module, path: str) -> None:
    """Load the checkpoint ``path`` into ``module``: a state dict, or the one in a dictionary that fits best.

    A prefix that all the keys have and the module's have not, as ``module.`` of ``DataParallel``, is taken off.

    Raises:
        InputFileError: the checkpoint cannot be read, holds no state dict, or one that does not fit.
    """
    holds = checkpoint_file.load(path)
    wanted = module.state_dict()
    candidates = [_renamed(weights, set(wanted)) for weights in _state_dicts(holds, DEEPEST)]
    if not candidates:
        raise InputFileError(f"{path} holds no state dict but {_kind(holds)}; `{checkpoint_file.RESAVE}` writes one")
    weights = max(candidates, key=lambda found: len(set(found) & set(wanted)))
    _check(path, weights, wanted)
    module.load_state_dict(weights, strict=False)


def _state_dicts(thing: Any, depth: int) -> Iterator[Weights]:
    if not isinstance(thing, dict) or depth == 0:
        return
    tensors = {key: value for key, value in thing.items() if isinstance(key, str) and torch.is_tensor(value)}
    if tensors:
        yield tensors
    for part in thing.values():
        yield from _state_dicts(part, depth - 1)


def _renamed(weights: Weights, wanted: Set[str]) -> Weights:
    prefix = next(iter(weights)).split(".")[0] + "."
    if all(key.startswith(prefix) for key in weights) and not any(key.startswith(prefix) for key in wanted):
        return {key[len(prefix) :]: value for key, value in weights.items()}
    parts = {key.split(".")[0] for key in wanted}
    if len(parts) == 1 and not set(weights) & wanted:
        return {f"{next(iter(parts))}.{key}": value for key, value in weights.items()}
    return weights


def _check(path: str, weights: Weights, wanted: Dict[str, torch.Tensor]) -> None:
    missing = [key for key in wanted if key not in weights and not key.endswith(COUNTER)]
    unexpected = [key for key in weights if key not in wanted and not key.endswith(COUNTER)]
    shapes = [
        f"{key} is of shape {list(weights[key].shape)}, the model's of {list(wanted[key].shape)}"
        for key in wanted
        if key in weights and weights[key].shape != wanted[key].shape
    ]
    faults = []
    if missing:
        faults.append(f"it lacks {_some([_likely(key, unexpected) for key in missing])}")
    if unexpected:
        likely = [key for key in unexpected if not difflib.get_close_matches(key, missing, 1)]
        if likely:
            faults.append(f"the model has no {_some(likely)}")
    if shapes:
        faults.append(_some(shapes))
    if faults:
        raise InputFileError(f"the weights {path} do not fit the model: {'; '.join(faults)}")


def _likely(key: str, unexpected: List[str]) -> str:
    near = difflib.get_close_matches(key, unexpected, 1)
    return f"{key} (it has {near[0]})" if near else key


def _some(items: List[str]) -> str:
    more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
    return ", ".join(items[:NAMED]) + more


def _kind(thing: Any) -> str:
    if isinstance(thing, checkpoint_file.Unknown):
        return f"a pickled {thing.name}"
    return f"an object of type {type(thing).__name__}"
