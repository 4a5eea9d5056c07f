"""The ranges that Ferry measures itself: of every tensor of the float file, and of tensors that share their steps."""

from typing import Dict, Iterable, List, Optional, Tuple

import numpy as np

from ferry.verify.quantized import ideal
from ferry.verify.quantized.counterparts import Counterparts
from ferry.verify.quantized.every_tensor import EveryTensor
from ferry.verify.quantized.network import Network, Steps

Range = Tuple[float, float]
# They move or pick values, whose steps stay those that they were written with.
KEEPS_STEPS = frozenset(
    [
        "AVERAGE_POOL_2D",
        "BATCH_TO_SPACE_ND",
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "GATHER",
        "GATHER_ND",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "MIRROR_PAD",
        "PACK",
        "PAD",
        "PADV2",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "REVERSE_V2",
        "SELECT",
        "SELECT_V2",
        "SLICE",
        "SPACE_TO_BATCH_ND",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TOPK_V2",
        "TRANSPOSE",
        "UNPACK",
    ]
)


def measured(floating: Network, samples: Iterable[List[np.ndarray]]) -> Dict[int, Range]:
    """The least and greatest value of each real tensor of the float file over the ``samples``, by its position."""
    opened = EveryTensor(floating)
    found: Dict[int, Range] = {}
    for arrays in samples:
        for tensor, value in opened.run(arrays).items():
            if value.dtype.kind == "f" and value.size:
                low, high = found.get(tensor, (np.inf, -np.inf))
                found[tensor] = (min(low, float(value.min())), max(high, float(value.max())))
    return found


class TensorRanges:
    """The range of each quantized tensor of ``quantized`` by what was measured in the float file.

    Args:
        known: the range of each tensor of the float file, by position.
        chosen: ranges that the scheme cut on purpose, by the name of the float file's tensor.
    """

    def __init__(
        self,
        quantized: Network,
        floating: Network,
        counterparts: Counterparts,
        known: Dict[int, Range],
        chosen: Optional[Dict[str, Range]] = None,
    ):
        self._network = quantized
        self._own: Dict[int, Range] = {}
        for tensor, other in counterparts.tensors.items():
            name = floating.tensors[other].name
            if chosen and name in chosen:
                self._own[tensor] = chosen[name]
            elif other in known:
                self._own[tensor] = known[other]
        self._groups = sharing_steps(quantized)
        self._fixed = {
            self._groups[each.outputs[0]]: ideal.fixed_steps(each.kind)
            for each in quantized.operators
            if each.kind in ideal.FIXED and quantized.tensors[each.outputs[0]].dtype == np.int8
        }

    def own(self, tensor: int) -> Optional[Range]:
        """What was measured of the tensor alone."""
        return self._own.get(tensor)

    def shared(self, tensor: int) -> Optional[Range]:
        """What was measured of all that have the same steps as ``tensor``."""
        group = self._groups.get(tensor)
        found = [self._own[each] for each, other in self._groups.items() if other == group and each in self._own]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else self._own.get(tensor)

    def fixed(self, tensor: int) -> Optional[Steps]:
        """The steps that the specification says for ``tensor``."""
        return self._fixed.get(self._groups.get(tensor, -1))

    def steps(self, tensor: int) -> Optional[Steps]:
        """An ideal quantizer's steps for ``tensor``; ``None`` where nothing was measured."""
        fixed, found = self.fixed(tensor), self.shared(tensor)
        if fixed is not None or found is None:
            return fixed
        return ideal.steps_of(*found, self._network.tensors[tensor].dtype)


def sharing_steps(network: Network) -> Dict[int, int]:
    """A number for each group of computed tensors that have the same steps because an operator between keeps them."""
    group = {tensor: tensor for tensor in [*network.inputs, *network.computed()]}

    def root(tensor: int) -> int:
        while group[tensor] != tensor:
            tensor = group[tensor]
        return tensor

    for each in network.operators:
        if each.kind in KEEPS_STEPS:
            tied = [tensor for tensor in [*each.inputs, *each.outputs] if tensor in group]
            tied = [tensor for tensor in tied if network.tensors[tensor].quantized]
            for tensor in tied[1:]:
                group[root(tensor)] = root(tied[0])
    return {tensor: root(tensor) for tensor in group}
