"""The tensors of a graph under construction, each in ONNX's layout, in channels-last, or in both.

ONNX puts the channels second (NCHW); TFLite, and TensorFlow on a CPU, compute with the channels last (NHWC). A lowering
asks for the form it needs and says which it made; a transpose is placed only where somebody reads the other form, and
once for all its readers. So the layout of a whole network is decided as the graph is built, with no pass over it.
"""

from typing import Dict, Iterator, List, MutableMapping, NamedTuple, Optional, Tuple, Union

import numpy as np
import tensorflow as tf

from ferry.graph.integer_ranges import Range
from ferry.lowering import axis_order
from ferry.lowering.old_converter import IS_OLD, shielded
from ferry.lowering.recurrence import Recurrence

# The ranks in which the second dimension may be channels: (N, C, W), (N, C, H, W), (N, C, D, H, W).
RANKS_WITH_CHANNELS = (3, 4, 5)
# TF 2.2's TRANSPOSE takes one axis less.
MOST_AXES = 4 if IS_OLD else axis_order.MOST_AXES


class NoSuchTensor(KeyError):
    """Nothing has made a tensor of this name."""


class ChannelsLast(NamedTuple):
    """What a lowering returns for an output that it made with the channels as the last dimension."""

    tensor: tf.Tensor


Made = Union[tf.Tensor, ChannelsLast]


class Tensors(MutableMapping[str, tf.Tensor]):
    """Maps ONNX names to tensors. ``tensors[name]`` is in ONNX's layout, as onnx-tf's handlers expect it.

    Args:
        constants: the model's initializers. Each becomes a TensorFlow constant only if somebody reads it as a tensor.
        recurrence: which recurrent layers are to be fused; by the rule unless another is given.
        ranges: between which values integers lie, by name, where that is known.
    """

    def __init__(
        self,
        constants: Dict[str, np.ndarray],
        recurrence: Optional[Recurrence] = None,
        ranges: Optional[Dict[str, Range]] = None,
    ):
        self.recurrence = recurrence or Recurrence()
        self.ranges = ranges or {}
        self._graph = tf.compat.v1.get_default_graph()
        self._constants = constants
        self._first: Dict[str, tf.Tensor] = {}
        self._last: Dict[str, tf.Tensor] = {}
        self._made_last: Dict[str, bool] = {}
        self._flattened: Dict[str, str] = {}

    def __getitem__(self, name: str) -> tf.Tensor:
        if name not in self._first:
            if name not in self._last and name not in self._constants:
                raise NoSuchTensor(name)
            # Who asks first may be the body of a loop, and what is made in it is out of reach of all others.
            with self._graph.as_default():
                last = self._last.get(name)
                self._first[name] = tf.constant(self._constants[name]) if last is None else _moved(last, to_first)
        return self._first[name]

    def __setitem__(self, name: str, made: Made) -> None:
        last = isinstance(made, ChannelsLast)
        self._made_last[name] = last
        if last:
            self._last[name] = made.tensor
        else:
            self._first[name] = made

    def __delitem__(self, name: str) -> None:
        for forms in (self._first, self._last, self._made_last):
            forms.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter([*self._made_last, *(name for name in self._constants if name not in self._made_last)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def copy(self) -> Dict[str, tf.Tensor]:
        """All tensors in ONNX's layout, which onnx-tf's handlers of loops and branches add to and look into."""
        return dict(self.items())

    def constant(self, name: str) -> Optional[np.ndarray]:
        """The initializer ``name`` in ONNX's layout; ``None`` if it depends on the model's input."""
        return None if name in self._made_last else self._constants.get(name)

    def forms(self, name: str) -> List[Made]:
        """Each layout in which the tensor ``name`` is in the graph, the one it was made in first."""
        if name not in self._made_last:
            return []
        forms: List[Made] = [ChannelsLast(self._last[name])] if name in self._last else []
        if name in self._first:
            forms.append(self._first[name])
        return forms if self._made_last[name] else forms[::-1]

    def made_last(self, name: str) -> bool:
        """Whether the tensor was made with its channels last, so that reading it so costs nothing."""
        return self._made_last.get(name, False)

    def last(self, name: str) -> tf.Tensor:
        """The tensor with its channels last, transposed if it was not made so. Its rank is one that has channels."""
        if name not in self._last:
            constant = self.constant(name)
            with self._graph.as_default():
                if constant is not None:
                    self._last[name] = tf.constant(constant.transpose(to_last(constant.ndim)))
                else:
                    self._last[name] = _moved(self[name], to_last)
        return self._last[name]

    def move_last(self, name: str) -> None:
        """Move the tensor now, once, so that whoever takes either layout takes it with its channels last."""
        if self[name].shape.rank in RANKS_WITH_CHANNELS:
            self.last(name)
            self._made_last[name] = True

    def either(self, name: str) -> Tuple[tf.Tensor, bool]:
        """The tensor in the layout it was made in, and whether that is channels-last."""
        return (self._last[name], True) if self.made_last(name) else (self[name], False)

    def note_flattened(self, name: str, source: str) -> None:
        """Note that ``name`` is ``source``, which was made channels-last, as a matrix of one row an example."""
        self._flattened[name] = source

    def flattened_from(self, name: str) -> Optional[str]:
        """The tensor that ``name`` is the flattening of: who can reorder weights instead need not transpose it."""
        return self._flattened.get(name)

    def shape(self, name: str) -> Optional[List[Optional[int]]]:
        """The static shape in ONNX's order; ``None`` where the rank is not known."""
        constant = self.constant(name)
        if constant is not None:
            return list(constant.shape)
        tensor, last = self.either(name)
        if tensor.shape.rank is None:
            return None
        shape = tensor.shape.as_list()
        return [shape[axis] for axis in to_first(len(shape))] if last else shape

    def static_shape(self, name: str) -> Optional[List[int]]:
        """The shape in ONNX's order; ``None`` where not every dimension is known."""
        shape = self.shape(name)
        return None if shape is None or None in shape else [size for size in shape if size is not None]


def to_last(rank: int) -> List[int]:
    """The permutation that moves the second of ``rank`` dimensions to the end."""
    return [0, *range(2, rank), 1]


def to_first(rank: int) -> List[int]:
    """The permutation that moves the last of ``rank`` dimensions to the second place."""
    return [0, rank - 1, *range(1, rank - 1)]


def last_axis_of(axis: int, rank: int) -> int:
    """Where ONNX's dimension ``axis``, which may be negative, lies in a channels-last tensor."""
    return to_last(rank).index(axis % rank)


def same_layout(last: bool, tensor: tf.Tensor) -> Made:
    """``tensor`` as what a lowering returns for it: marked if it is channels-last."""
    return ChannelsLast(tensor) if last else tensor


def transposed(tensor: tf.Tensor, permutation: List[int]) -> tf.Tensor:
    """A transpose that the TFLite converter leaves where it is.

    TF 2.4's converter folds a transpose into the MaxPool or Mean that reads it: the first into an NCHW pool that TFLite
    has no kernel for, the second, where it drops dimensions, into one of another order of dimensions. And it moves one
    from behind a broadcast sum to before it, with a shape that does not fit. It looks at the transpose's neighbours
    only, and drops the stop of a gradient later.
    """
    sizes = tensor.shape.as_list()
    if len(sizes) <= MOST_AXES or None in sizes:
        return _kept_in_place(tensor, permutation)
    made = tensor
    for step in axis_order.steps(sizes, permutation, MOST_AXES):
        made = _kept_in_place(tf.reshape(made, step.shape), step.permutation)
    return tf.reshape(made, [sizes[axis] for axis in permutation])


def _kept_in_place(tensor: tf.Tensor, permutation: List[int]) -> tf.Tensor:
    return tf.stop_gradient(tf.transpose(tf.stop_gradient(tensor), permutation))


def reshaped(tensor: tf.Tensor, shape: List[int], name: Optional[str] = None) -> tf.Tensor:
    """A reshape to a static shape that the TFLite converter leaves where it is."""
    made = tf.reshape(tensor, tf.constant(shape, tf.int32, shape=[len(shape)]), name=name)
    # Where the last dimension was 1, a constant broadcasts before the reshape as it does not behind it.
    return shielded(made) if tensor.shape.rank and tensor.shape[-1] == 1 and shape and shape[-1] != 1 else made


def _moved(tensor: tf.Tensor, permutation_of) -> tf.Tensor:
    rank = tensor.shape.rank
    if rank is None or rank not in RANKS_WITH_CHANNELS:
        return tensor
    permutation = permutation_of(rank)
    shape = tensor.shape.as_list()
    filled = [axis for axis in permutation if shape[axis] != 1]
    # Where only dimensions of 1 change places the values do not move, and a reshape costs nothing.
    if None not in shape and filled == sorted(filled):
        return reshaped(tensor, [shape[axis] for axis in permutation])
    return transposed(tensor, permutation)
