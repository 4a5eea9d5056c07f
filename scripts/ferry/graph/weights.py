"""The initializers of a model while passes rewrite them: in float64, rounded to the model's own dtype once, at the end.

A weight that is rounded after each of several foldings is off by each rounding.
"""

from typing import Dict, Iterator, Mapping

import numpy as np
import onnx

from ferry.graph.onnx_file import initializers, replace_initializers
from ferry.graph.passes.linear_layer import LinearLayer


class Weights(Mapping[str, np.ndarray]):
    """Maps names to arrays; what :meth:`put` adds is float64 until :meth:`store`."""

    def __init__(self, model: onnx.ModelProto):
        self._model = model
        self._arrays = initializers(model)
        self._dtypes: Dict[str, np.dtype] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def put(self, wanted: str, array: np.ndarray, like: str) -> str:
        """Add ``array`` under ``wanted``, or a name near it that is free; it is stored in the dtype of ``like``."""
        name, count = wanted, 0
        while name in self._arrays:
            count += 1
            name = f"{wanted}_{count}"
        self._arrays[name] = array
        self._dtypes[name] = self._dtypes.get(like, self._arrays[like].dtype)
        return name

    def put_layer(self, layer: LinearLayer) -> None:
        """Give ``layer``'s node new weights, and a new bias where it has one or has come to need one."""
        node = layer.node
        weight = node.input[1]
        has_bias = len(node.input) > 2 and bool(node.input[2])
        node.input[1] = self.put(f"{weight}_folded", layer.weight, weight)
        if has_bias or layer.bias.any():
            bias = self.put(f"{node.output[0]}_bias", layer.bias, weight)
            del node.input[2:]
            node.input.append(bias)

    def store(self) -> None:
        """Make the arrays the model's initializers."""
        for name, dtype in self._dtypes.items():
            self._arrays[name] = self._arrays[name].astype(dtype)
        replace_initializers(self._model, self._arrays)
