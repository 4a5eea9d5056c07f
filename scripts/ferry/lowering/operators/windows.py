"""Where a sliding window of a convolution or a pool lies on its input, in ONNX's terms and in TensorFlow's."""

from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from ferry.lowering.declined import Declined
from ferry.lowering.node import Node

Pads = List[Tuple[int, int]]


class Windows(NamedTuple):
    """One entry a spatial dimension: sizes, strides and dilations in elements, ``pads`` before and after."""

    kernel: List[int]
    strides: List[int]
    dilations: List[int]
    pads: Pads


def windows_of(node: Node, kernel: Sequence[int], sizes: Sequence[Optional[int]]) -> Union[Windows, Declined]:
    """The windows of a node over spatial dimensions of ``sizes``, each of which they fit into."""
    rank = len(kernel)
    given = node.attributes
    strides, dilations = list(given.get("strides", [1] * rank)), list(given.get("dilations", [1] * rank))
    flat, auto = list(given.get("pads", [0] * 2 * rank)), given["auto_pad"]
    if (
        not len(kernel) == len(strides) == len(dilations) == len(sizes)
        or len(flat) != 2 * rank
        or min([*kernel, *strides, *dilations], default=1) < 1
        or min(flat, default=0) < 0
    ):
        return Declined(
            f"windows of {list(kernel)} at strides {strides}, dilations {dilations} and pads {flat} do not fit an "
            f"input of {len(sizes)} spatial dimensions"
        )
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        known = [size for size in sizes if size is not None]
        if len(known) < rank:
            return Declined(f"its padding {auto} depends on the size of the input, which is not static")
        upper = [same_pads(*each) for each in zip(known, kernel, strides, dilations)]
        pads = upper if auto == "SAME_UPPER" else [(after, before) for before, after in upper]
    elif auto == "VALID":
        pads = [(0, 0)] * rank
    else:
        pads = list(zip(flat[:rank], flat[rank:]))
    return Windows(list(kernel), strides, dilations, pads)


def same_pads(size: int, kernel: int, stride: int, dilation: int) -> Tuple[int, int]:
    """What TensorFlow's ``SAME`` pads before and after a dimension."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def is_same(windows: Windows, sizes: Sequence[Optional[int]]) -> bool:
    """Whether TensorFlow's ``SAME`` pads as ``windows`` does, so that no explicit padding is needed."""
    for size, kernel, stride, dilation, pads in zip(sizes, *windows):
        # At stride 1 the padding does not depend on the size.
        if size is None and stride > 1:
            return False
        if same_pads(size or 1, kernel, stride, dilation) != tuple(pads):
            return False
    return True
