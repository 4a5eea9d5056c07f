"""What rearranges elements and computes nothing."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

from ferry.evaluate.bounded import Bounded, errors
from ferry.evaluate.registry import Node, NotEvaluatedError, given, operator, required


@operator("Identity", "Dropout")
def identity(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The operand; the mask of a ``Dropout``, which drops nothing here, is true throughout."""
    x, training = required(inputs), given(inputs, 2) if node.operator == "Dropout" else None
    if training is not None and training.value.any():
        raise NotEvaluatedError("Dropout that drops: it draws random numbers")
    return [x, Bounded(np.ones(x.value.shape, bool))][: node.outputs]


@operator("Transpose")
def transpose(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The dimensions in another order."""
    return [required(inputs).moved(lambda array: array.transpose(node.attribute("perm")))]


@operator("Reshape")
def reshape(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Another shape, in which 0 is the operand's own dimension and -1 what is left."""
    x, wanted = required(inputs), [int(each) for each in required(inputs, 1).value]
    shape = [x.value.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    return [x.moved(lambda array: array.reshape(shape))]


@operator("Flatten")
def flatten(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Two dimensions: those before ``axis``, and the rest."""
    x, axis = required(inputs), node.attribute("axis", 1)
    rows = int(np.prod(x.value.shape[: axis if axis >= 0 else x.value.ndim + axis], dtype=np.int64))
    return [x.moved(lambda array: array.reshape(rows, -1 if array.size else 0))]


@operator("Squeeze")
def squeeze(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Without dimensions of 1, all of them by default."""
    axes = node.attribute("axes")
    return [required(inputs).moved(lambda array: np.squeeze(array, None if axes is None else tuple(axes)))]


@operator("Unsqueeze")
def unsqueeze(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """With dimensions of 1 at ``axes`` of the result."""
    return [required(inputs).moved(lambda array: np.expand_dims(array, tuple(node.attribute("axes"))))]


@operator("Concat")
def concat(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """One after another along ``axis``."""
    tensors, axis = [each for each in inputs if each is not None], node.attribute("axis")
    value = np.concatenate([each.value for each in tensors], axis)
    if not errors(*tensors):
        return [Bounded(value)]
    bounds = [np.zeros(each.value.shape) if each.error is None else each.error for each in tensors]
    return [Bounded(value, np.concatenate(bounds, axis))]


@operator("Split")
def split(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Parts along ``axis``, of equal size unless ``split`` says which."""
    x, axis = required(inputs), node.attribute("axis", 0)
    sizes = node.attribute("split") or [x.value.shape[axis] // node.outputs] * node.outputs
    ends = np.cumsum(sizes)
    return [
        x.moved(lambda array, low=end - size, high=end: np.take(array, range(low, high), axis))  # type: ignore[misc]
        for size, end in zip(sizes, ends)
    ]


@operator("Slice")
def slice_(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """From ``starts`` to before ``ends`` in ``steps``; attributes before opset 10, inputs since."""
    x = required(inputs)
    if node.opset < 10:
        starts, ends, axes, steps = node.attribute("starts"), node.attribute("ends"), node.attribute("axes"), None
    else:
        starts, ends = (required(inputs, position).value.tolist() for position in (1, 2))
        axes, steps = (None if each is None else each.value.tolist() for each in (given(inputs, 3), given(inputs, 4)))
    axes = list(range(len(starts))) if axes is None else axes
    where = [slice(None)] * x.value.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps or [1] * len(starts)):
        where[axis] = slice(*_bounds(start, end, step, x.value.shape[axis]))
    return [x.moved(lambda array: array[tuple(where)])]


def _bounds(start: int, end: int, step: int, size: int) -> Tuple[int, Optional[int], int]:
    """A slice as NumPy takes it: past the first element backwards there is no number for the end."""
    start, end = (each + size if each < 0 else each for each in (start, end))
    if step > 0:
        return min(max(start, 0), size), min(max(end, 0), size), step
    end = min(max(end, -1), size - 1)
    return min(max(start, -1), size - 1), None if end < 0 else end, step


@operator("Pad")
def pad(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Elements added or, where negative, taken away at both ends of each dimension."""
    x, mode = required(inputs), node.attribute("mode", "constant")
    if node.opset < 11:
        pads, value = node.attribute("pads"), node.attribute("value", 0.0)
    else:
        pads, filler = required(inputs, 1).value.tolist(), given(inputs, 2)
        value = 0 if filler is None else filler.value.ravel()[0]
    ends = list(zip(pads[: x.value.ndim], pads[x.value.ndim :]))
    widths = [(max(low, 0), max(high, 0)) for low, high in ends]
    cut = tuple(slice(max(-low, 0), min(high, 0) or None) for low, high in ends)

    def padded(array: np.ndarray, filled: float) -> np.ndarray:
        options = {"constant_values": filled} if mode == "constant" else {}
        return np.pad(array[cut], widths, mode, **options)

    error = None if x.error is None else padded(x.error, 0.0)
    return [Bounded(padded(x.value, value), error)]


@operator("Expand")
def expand(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Broadcast with ``shape``, which broadcasts with the operand's own."""
    x, shape = required(inputs), [int(each) for each in required(inputs, 1).value]
    whole = np.broadcast(x.value, np.broadcast_to(0, shape)).shape
    return [x.moved(lambda array: np.array(np.broadcast_to(array, whole)))]


@operator("Tile")
def tile(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Repeated along each dimension."""
    return [required(inputs).moved(lambda array: np.tile(array, required(inputs, 1).value))]


@operator("DepthToSpace")
def depth_to_space(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Channels into blocks; ``DCR`` has the block first among the channels, ``CRD`` last."""
    block, crd = node.attribute("blocksize"), node.attribute("mode", "DCR") == "CRD"

    def moved(array: np.ndarray) -> np.ndarray:
        n, c, h, w = array.shape
        left = c // block**2
        parts = [n, left, block, block, h, w] if crd else [n, block, block, left, h, w]
        order = (0, 1, 4, 2, 5, 3) if crd else (0, 3, 4, 1, 5, 2)
        return array.reshape(parts).transpose(order).reshape(n, left, h * block, w * block)

    return [required(inputs).moved(moved)]


@operator("SpaceToDepth")
def space_to_depth(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """Blocks into channels, the block first."""
    block = node.attribute("blocksize")

    def moved(array: np.ndarray) -> np.ndarray:
        n, c, h, w = array.shape
        parts = array.reshape(n, c, h // block, block, w // block, block)
        return parts.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * block**2, h // block, w // block)

    return [required(inputs).moved(moved)]


@operator("ReverseSequence")
def reverse_sequence(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The first elements of each sequence in the other order."""
    x, lengths = required(inputs), required(inputs, 1).value
    time, batch = node.attribute("time_axis", 0), node.attribute("batch_axis", 1)
    if sorted((time, batch)) != [0, 1]:
        raise NotEvaluatedError("ReverseSequence along other axes than the first two")

    def moved(array: np.ndarray) -> np.ndarray:
        rows = np.array(np.moveaxis(array, batch, 0))
        for row, length in zip(rows, lengths):
            row[:length] = row[:length][::-1].copy()
        return np.moveaxis(rows, 0, batch)

    return [x.moved(moved)]


@operator("Compress")
def compress(node: Node, inputs: List[Optional[Bounded]]) -> List[Bounded]:
    """The places that a condition marks."""
    condition: Sequence[bool] = required(inputs, 1).value
    axis = node.attribute("axis")
    return [required(inputs).moved(lambda array: np.compress(condition, array, axis))]
