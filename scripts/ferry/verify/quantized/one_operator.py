"""One operator of a ``.tflite`` alone, in float32: what it computes of numbers given, with constants given.

Float32 rounds by 1e-7 and an int8 step is 4e-3 of a range, so that TFLite's own float kernels, which the verification
of the float file holds against float64, are exact enough, and each of them is known to this without a line of its own.
"""

import copy
from typing import Dict, List, Optional

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from ferry.errors import UnsupportedModelError, first_line
from ferry.runtimes.tflite_runtime import ONE_THREAD
from ferry.tflite.editable import packed
from ferry.verify.quantized.network import DTYPES, Network, Operator

_CODES = {dtype: code for code, dtype in DTYPES.items()}


class OneOperator:
    """``operator`` of ``network`` with ``constants`` in the place of its own, by their positions.

    ``given`` are the positions of the tensors that it is to be given.

    Raises:
        UnsupportedModelError: TFLite has no float kernel for it, or it keeps a state.
    """

    def __init__(self, network: Network, operator: Operator, constants: Dict[int, np.ndarray]):
        self._outputs = len(operator.outputs)
        data = _model(network, operator, constants)
        try:
            self._interpreter = tf.lite.Interpreter(model_content=data, **ONE_THREAD)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UnsupportedModelError(f"{operator.kind} has no float kernel: {first_line(error)}") from error
        self._fed = [detail["index"] for detail in self._interpreter.get_input_details()]
        self.given = [tensor for tensor in dict.fromkeys(operator.inputs) if tensor >= 0 and tensor not in constants]
        self._made = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, values: Dict[int, np.ndarray]) -> List[np.ndarray]:
        """Its outputs, float64 where they are real, for the ``values`` of its inputs, by position."""
        for index, tensor in zip(self._fed, self.given):
            value = values[tensor]
            self._interpreter.set_tensor(index, value.astype(np.float32) if value.dtype.kind == "f" else value)
        self._interpreter.invoke()
        outputs = [self._interpreter.get_tensor(index) for index in self._made]
        return [output.astype(np.float64) if output.dtype.kind == "f" else output for output in outputs]


def constants_of(network: Network, operator: Operator) -> Dict[int, np.ndarray]:
    """The constants that ``operator`` reads, as numbers: quantized ones as what they stand for."""
    return {
        tensor: held.numbers(held.constant)
        for tensor in operator.inputs
        if tensor >= 0
        for held in [network.tensors[tensor]]
        if held.constant is not None
    }


def without_activation(operator: Operator) -> Operator:
    """The same operator without the activation that is fused into it."""
    held, options = copy.copy(operator.held), copy.copy(operator.held.builtinOptions)
    if hasattr(options, "fusedActivationFunction"):
        options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    held.builtinOptions = options
    return operator._replace(held=held)


def _model(network: Network, operator: Operator, constants: Dict[int, np.ndarray]) -> bytes:
    graph, model = schema.SubGraphT(), schema.ModelT()
    model.version, model.buffers, graph.tensors = 3, [schema.BufferT()], []
    places: Dict[int, int] = {-1: -1}
    for tensor in [*operator.inputs, *operator.outputs]:
        if tensor not in places:
            places[tensor] = len(graph.tensors)
            graph.tensors.append(_tensor(model, network, tensor, constants.get(tensor)))
    made = schema.OperatorT()
    made.opcodeIndex = 0
    made.builtinOptionsType, made.builtinOptions = operator.held.builtinOptionsType, operator.held.builtinOptions
    made.inputs = np.array([places[tensor] for tensor in operator.inputs], np.int32)
    made.outputs = np.array([places[tensor] for tensor in operator.outputs], np.int32)
    fed = [tensor for tensor in dict.fromkeys(operator.inputs) if tensor >= 0 and tensor not in constants]
    graph.inputs = np.array([places[tensor] for tensor in fed], np.int32)
    graph.outputs, graph.operators = made.outputs, [made]
    code = schema.OperatorCodeT()
    kinds = vars(schema.BuiltinOperator)
    if operator.kind not in kinds:
        raise UnsupportedModelError(f"{operator.kind} is no builtin operator")
    code.builtinCode, code.version = kinds[operator.kind], operator.version
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    model.operatorCodes, model.subgraphs = [code], [graph]
    return packed(model, sum(array.nbytes for array in constants.values()))


def _tensor(model: schema.ModelT, network: Network, tensor: int, constant: Optional[np.ndarray]) -> schema.TensorT:
    held, made = network.tensors[tensor], schema.TensorT()
    made.name, made.shape, made.buffer = held.name.encode(), np.array(held.shape, np.int32), 0
    made.type = _CODES[np.float32 if held.real else held.dtype.type]
    if constant is not None:
        narrow = np.ascontiguousarray(constant, np.float32 if held.real else held.dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(narrow.tobytes(), np.uint8)
        made.buffer = len(model.buffers)
        model.buffers.append(buffer)
    return made
