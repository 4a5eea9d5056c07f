"""Call a module that takes or returns dictionaries and nested tuples with a flat row of tensors, and get one back."""

from typing import Any, Iterable, Tuple

import torch

from ferry.model import nested_tensors


class FlatForward(torch.nn.Module):
    """``module`` as a module of positional tensors that returns a tuple of tensors.

    Args:
        module: the user's module.
        example: what it is called with. A dictionary holds keyword arguments, a tuple or list positional ones; what in
            them is no tensor is handed over at every call as it is.
    """

    def __init__(self, module: torch.nn.Module, example: Any):
        super().__init__()
        self.module = module
        self.example = example

    def call(self, tensors: Iterable[torch.Tensor]) -> Any:
        """What ``module`` returns, in the structure that it has there."""
        given = nested_tensors.put_back(self.example, iter(tensors))
        if isinstance(given, dict):
            return self.module(**given)
        return self.module(*given) if isinstance(given, (tuple, list)) else self.module(given)

    def forward(self, *tensors: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        """The tensors that ``module`` returns, in order."""
        return tuple(leaf.tensor for leaf in nested_tensors.leaves(self.call(tensors)))
