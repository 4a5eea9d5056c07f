"""PyTorch of another version than the pinned one, in a process of its own: the reference for what it has exported."""

from typing import Any, Dict, List, Optional

import numpy as np

from ferry.model.model_source import ModelSource
from ferry.runtimes import Runtime, TensorSpec
from ferry.torch_process.torch_process import TorchProcess


class OtherPytorch(Runtime):
    """The model of ``source`` in the PyTorch of the interpreter ``source.torch``, in float32, on the CPU.

    ``environment`` holds the versions of that interpreter and its packages, ``code`` a digest of the model's own code.
    """

    def __init__(self, source: ModelSource):
        self._process, self._wide = TorchProcess(source.torch), False
        self.environment: Dict[str, str] = self._process.ask("environment").said["versions"]
        opened = self._process.ask("open", path=source.path, weights=source.weights, input_shape=source.input_shape)
        self.example_inputs = opened.arrays
        self.inputs, self.outputs = _specs(opened.said["inputs"]), _specs(opened.said["outputs"])
        self.code: str = opened.said["code"]
        self._weights: str = opened.said["weights"]

    def in_float64(self) -> "WideOtherPytorch":
        """The same model computing in float64, float inputs widened.

        Raises:
            NotImplementedError: the module cannot do so; the message says why.
        """
        reason = self._process.ask("widen").said["reason"]
        if reason is not None:
            raise NotImplementedError(reason)
        return WideOtherPytorch(self)

    def weights_digest(self) -> str:
        """A digest of the parameters and buffers, names and all."""
        return self._weights

    def own_inputs(self, given: str, limit: int, folder: str) -> Optional[Dict[str, Any]]:
        """The inputs that the model file's own code gives, put into ``folder``: ``StoredInputs`` as JSON."""
        return self._process.ask("own_inputs", given=given, limit=limit, folder=folder).said.get("stored")

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        return self.compute(arrays, wide=False)

    def compute(self, arrays: List[np.ndarray], wide: bool) -> List[np.ndarray]:
        """One inference in float32 or float64.

        Raises:
            RuntimeError: the model raised something; the message says what.
        """
        answer = self._process.ask("run", arrays, wide=wide)
        if "raised" in answer.said:
            raise RuntimeError(answer.said["raised"])
        return answer.arrays


class WideOtherPytorch(Runtime):
    """``narrow`` in float64."""

    def __init__(self, narrow: OtherPytorch):
        self._narrow, self.inputs, self.outputs = narrow, narrow.inputs, narrow.outputs

    def run(self, arrays: List[np.ndarray]) -> List[np.ndarray]:
        return self._narrow.compute(arrays, wide=True)


def _specs(described: List[Dict[str, Any]]) -> List[TensorSpec]:
    return [TensorSpec(each["name"], tuple(each["shape"]), np.dtype(each["dtype"])) for each in described]
