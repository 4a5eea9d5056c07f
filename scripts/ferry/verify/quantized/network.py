"""A ``.tflite`` as the proof reads it: operators, and tensors with their steps and constants.

A *step* is the difference between two neighbouring quantized values, which the schema calls a scale.
"""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from ferry.errors import UnsupportedModelError
from ferry.tflite import flatbuffer

DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.BOOL: np.bool_,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT8: np.int8,
}


class Steps(NamedTuple):
    """How integers stand for numbers: ``(integer - zero) * scale``, one of each, or one for each place of ``axis``."""

    scale: np.ndarray
    zero: np.ndarray
    axis: int

    def fits(self, shape: Tuple[int, ...]) -> bool:
        """Whether there are as many as a tensor of this shape has places on the axis."""
        return len(self.scale) == 1 or (self.axis < len(shape) and len(self.scale) == shape[self.axis])

    def along(self, values: np.ndarray, rank: int) -> np.ndarray:
        """One of the two arrays, shaped so that it broadcasts against a tensor of that rank."""
        if len(values) == 1:
            return values.reshape([1] * rank)
        return values.reshape([-1 if place == self.axis else 1 for place in range(rank)])

    def dequantized(self, integers: np.ndarray) -> np.ndarray:
        """The numbers, float64, that ``integers`` stand for."""
        rank = integers.ndim
        return (integers.astype(np.float64) - self.along(self.zero, rank)) * self.along(self.scale, rank)


class Tensor(NamedTuple):
    """One tensor. ``constant`` is its value where it has one, as the file holds it."""

    name: str
    shape: Tuple[int, ...]
    dtype: np.dtype
    steps: Optional[Steps]
    constant: Optional[np.ndarray]

    @property
    def quantized(self) -> bool:
        """Whether its integers stand for other numbers."""
        return self.steps is not None and self.dtype.kind in "iu"

    @property
    def real(self) -> bool:
        """Whether it stands for real numbers, quantized or not."""
        return self.quantized or self.dtype.kind == "f"

    def numbers(self, raw: np.ndarray) -> np.ndarray:
        """What ``raw`` stands for: float64 of what is real, and the integers themselves of what is not."""
        if self.quantized:
            assert self.steps is not None
            return self.steps.dequantized(raw)
        return raw.astype(np.float64) if self.dtype.kind == "f" else raw


class Operator(NamedTuple):
    """One operator; ``inputs`` and ``outputs`` are positions of tensors, -1 where one is left out."""

    position: int
    kind: str
    inputs: List[int]
    outputs: List[int]
    held: schema.OperatorT
    version: int


class Network:
    """The model ``data``.

    Raises:
        UnsupportedModelError: it has more than one subgraph, or tensors of a type that no quantized file has.
    """

    def __init__(self, data: bytes):
        self.data = data
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
        if len(model.subgraphs) != 1:
            raise UnsupportedModelError(
                f"a file of {len(model.subgraphs)} subgraphs is not judged operator by operator"
            )
        graph = model.subgraphs[0]
        self.tensors = [_tensor(model, each) for each in graph.tensors]
        self.operators = [_operator(model, place, each) for place, each in enumerate(graph.operators)]
        self.inputs = [int(each) for each in graph.inputs]
        self.outputs = [int(each) for each in graph.outputs]

    def maker(self, tensor: int) -> Optional[Operator]:
        """The operator that makes ``tensor``."""
        return next((each for each in self.operators if tensor in each.outputs), None)

    def computed(self) -> List[int]:
        """The tensors that some operator makes, in the order in which they are made."""
        return [tensor for operator in self.operators for tensor in operator.outputs]


def _tensor(model: schema.ModelT, held: schema.TensorT) -> Tensor:
    if held.type not in DTYPES:
        raise UnsupportedModelError(f"the tensor {held.name.decode()} is of a type that is not judged")
    dtype = np.dtype(DTYPES[held.type])
    shape = tuple(int(size) for size in (held.shape if held.shape is not None else []))
    data = model.buffers[held.buffer].data
    constant = None
    if data is not None and len(data):
        constant = np.frombuffer(np.ascontiguousarray(data).tobytes(), dtype).reshape(shape)
    return Tensor(held.name.decode(), shape, dtype, _steps(held.quantization), constant)


def _steps(held: Optional[schema.QuantizationParametersT]) -> Optional[Steps]:
    if held is None or held.scale is None or not len(held.scale):
        return None
    scale = np.asarray(held.scale, np.float64)
    zero = np.zeros(len(scale)) if held.zeroPoint is None else np.asarray(held.zeroPoint, np.float64)
    return Steps(scale, np.resize(zero, len(scale)), int(held.quantizedDimension))


def _operator(model: schema.ModelT, position: int, held: schema.OperatorT) -> Operator:
    code = model.operatorCodes[held.opcodeIndex]
    custom = code.customCode.decode() if code.customCode else ""
    kind = custom or flatbuffer.builtin_name(max(code.builtinCode, code.deprecatedBuiltinCode))
    inputs = [int(each) for each in (held.inputs if held.inputs is not None else [])]
    return Operator(position, kind, inputs, [int(each) for each in held.outputs], held, code.version)
