"""A runtime whose images have their channels last, for callers who give and take them second, as PyTorch does."""

from typing import Any, Dict, Iterable, Iterator, List

import numpy as np

from ferry.runtimes import Runtime, TensorSpec

TO_LAST, TO_SECOND = (0, 2, 3, 1), (0, 3, 1, 2)


class ChannelsLastRuntime(Runtime):
    """``inner``, made with ``LAYOUT=nhwc``: each float input and output of four dimensions is (N, H, W, C) there.

    A runtime that was not made so shows itself: its shapes come out wrong or, where all dimensions are equal, its
    values.
    """

    def __init__(self, inner: Runtime):
        self._inner = inner
        self.inputs = [_channels_second(spec) for spec in inner.inputs]
        self.outputs = [_channels_second(spec) for spec in inner.outputs]

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        moved = [_moved(array, spec, TO_LAST) for array, spec in zip(arrays, self._inner.inputs)]
        return [_moved(array, spec, TO_SECOND) for array, spec in zip(self._inner.run(moved), self._inner.outputs)]

    def details(self) -> Dict[str, Any]:
        return {**self._inner.details(), "layout": "nhwc"}


def with_layout(runtime: Runtime, layout: str) -> Runtime:
    """``runtime`` as PyTorch's callers know it; ``layout`` is ``nchw`` or ``nhwc``."""
    return ChannelsLastRuntime(runtime) if layout == "nhwc" else runtime


def channels_last_samples(samples: Iterable[List[np.ndarray]], specs: List[TensorSpec]) -> Iterator[List[np.ndarray]]:
    """The samples as a model made with ``LAYOUT=nhwc`` takes them; ``specs`` are its inputs as PyTorch has them."""
    for arrays in samples:
        yield [_moved(array, spec, TO_LAST) for array, spec in zip(arrays, specs)]


def _is_image(spec: TensorSpec) -> bool:
    return len(spec.shape) == 4 and spec.dtype.kind == "f"


def _channels_second(spec: TensorSpec) -> TensorSpec:
    return spec._replace(shape=tuple(spec.shape[axis] for axis in TO_SECOND)) if _is_image(spec) else spec


def _moved(array: np.ndarray, spec: TensorSpec, permutation) -> np.ndarray:
    return np.ascontiguousarray(array.transpose(permutation)) if _is_image(spec) else array
