"""A TFLite model that is edited: its operators, tensors and constants as objects, and written back as a flatbuffer.

It uses the object interface of the schema that TensorFlow 2.4 ships, so it is not to be had with ``TF=2.2``.
"""

from typing import Dict, List, Optional, Sequence, Tuple, Union

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from ferry.tflite import sparse_memory

IDENTIFIER = b"TFL3"
# Kernels read weights in vectors of this many bytes.
ALIGNMENT = 16
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
}


class _AlignedBuffer(schema.BufferT):
    """A buffer whose bytes begin at a multiple of ``ALIGNMENT``: the generated class aligns them to one byte."""

    def Pack(self, builder: flatbuffers.Builder) -> int:
        """Write the buffer and return where it is."""
        position = 0
        if self.data is not None and len(self.data):
            data = np.ascontiguousarray(self.data, np.uint8)
            builder.StartVector(1, len(data), ALIGNMENT)
            builder.head = builder.head - len(data)
            sparse_memory.write(builder.Bytes, builder.head, data)
            position = builder.EndVector(len(data))
        schema.BufferStart(builder)
        if position:
            schema.BufferAddData(builder, position)
        return schema.BufferEnd(builder)


def packed(model: schema.ModelT, size: int) -> bytes:
    """``model`` as a flatbuffer with aligned constants; ``size`` is about how many bytes those have."""
    return bytes(packed_in_memory(model, size))


def packed_in_memory(model: schema.ModelT, size: int) -> memoryview:
    """The same in memory that takes no room for zeros, as ``sparse_memory`` has it."""
    buffers = []
    for buffer in model.buffers:
        aligned = _AlignedBuffer()
        aligned.data = buffer.data
        buffers.append(aligned)
    model.buffers = buffers
    builder = flatbuffers.Builder(0)
    # It writes from the end to the beginning, and would double what is too small.
    room = min(2 * size + (1 << 20), flatbuffers.Builder.MAX_BUFFER_SIZE - 1)
    builder.Bytes, builder.head = sparse_memory.reserve(room), room
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return builder.Bytes[builder.Head() :]


class EditableModel:
    """The model in ``data``, of one subgraph. Tensors are named by their indices.

    Raises:
        ValueError: the model has more than one subgraph.
    """

    def __init__(self, data: Union[bytes, memoryview]):
        self._size = len(data)
        self._model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
        if len(self._model.subgraphs) != 1:
            raise ValueError(f"a model of {len(self._model.subgraphs)} subgraphs")
        self._graph = self._model.subgraphs[0]
        self._codes: Dict[Tuple[int, int], int] = {}
        self.makers: Dict[int, schema.OperatorT] = {}
        self.users: Dict[int, List[schema.OperatorT]] = {}
        for operator in self.operators:
            for tensor in operator.outputs:
                self.makers[int(tensor)] = operator
            for tensor in operator.inputs:
                self.users.setdefault(int(tensor), []).append(operator)

    @property
    def operators(self) -> List[schema.OperatorT]:
        """The operators, in the order in which they run."""
        return self._graph.operators

    @property
    def inputs(self) -> List[int]:
        """The model's inputs."""
        return [int(tensor) for tensor in self._graph.inputs]

    def kind(self, operator: schema.OperatorT) -> int:
        """The builtin code of ``operator``, one of ``schema.BuiltinOperator``."""
        code = self._model.operatorCodes[operator.opcodeIndex]
        return max(code.builtinCode, code.deprecatedBuiltinCode)

    def made_by(self, tensor: int, kind: int) -> Optional[schema.OperatorT]:
        """The operator of the given kind that makes ``tensor``; ``None`` where another one does, or none."""
        operator = self.makers.get(tensor)
        return operator if operator is not None and self.kind(operator) == kind else None

    def shape(self, tensor: int) -> List[int]:
        """The shape of ``tensor``."""
        shape = self._graph.tensors[tensor].shape
        return [] if shape is None else [int(size) for size in shape]

    def is_float(self, tensor: int) -> bool:
        """Whether ``tensor`` is of float32."""
        return self._graph.tensors[tensor].type == schema.TensorType.FLOAT32

    def is_int8(self, tensor: int) -> bool:
        """Whether ``tensor`` is of int8."""
        return self._graph.tensors[tensor].type == schema.TensorType.INT8

    def set_constant(self, tensor: int, value: np.ndarray) -> None:
        """Give the constant ``tensor`` another value, of the same shape and dtype."""
        held = self._graph.tensors[tensor]
        held.buffer = len(self._model.buffers)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(value, _DTYPES[held.type]).tobytes(), np.uint8)
        self._model.buffers.append(buffer)

    def quantization(self, tensor: int) -> Optional[schema.QuantizationParametersT]:
        """How the integers of ``tensor`` stand for numbers; None where they are numbers, or it is of floats."""
        held = self._graph.tensors[tensor].quantization
        return held if held is not None and held.scale is not None and len(held.scale) else None

    def set_range(self, tensor: int, low: float, high: float) -> None:
        """Note what ``tensor`` holds at least and at most, as calibration does."""
        made = schema.QuantizationParametersT()
        made.min, made.max = np.array([low], np.float32), np.array([high], np.float32)
        self._graph.tensors[tensor].quantization = made

    def is_output(self, tensor: int) -> bool:
        """Whether ``tensor`` is one of the model's outputs."""
        return tensor in [int(output) for output in self._graph.outputs]

    def constant(self, tensor: int) -> Optional[np.ndarray]:
        """The value of ``tensor``, ``None`` where it is computed or of a dtype that no rewrite reads."""
        held = self._graph.tensors[tensor]
        data = self._model.buffers[held.buffer].data
        if data is None or not len(data) or held.type not in _DTYPES:
            return None
        return np.frombuffer(np.ascontiguousarray(data).tobytes(), _DTYPES[held.type]).reshape(self.shape(tensor))

    def add_tensor(self, name: str, shape: Sequence[int], like: int, value: Optional[np.ndarray] = None) -> int:
        """Add a tensor of the dtype of ``like``, or of ``value``, which makes it a constant."""
        made = schema.TensorT()
        made.name, made.shape = name.encode(), np.array(shape, np.int32)
        made.type, made.buffer = self._graph.tensors[like].type, 0
        if value is not None:
            made.type = next(kind for kind, dtype in _DTYPES.items() if dtype == value.dtype)
            made.buffer = len(self._model.buffers)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(value.tobytes(), np.uint8)
            self._model.buffers.append(buffer)
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def add_float(self, name: str, shape: Sequence[int]) -> int:
        """Add a tensor of float32 that an operator is to compute."""
        made = schema.TensorT()
        made.name, made.shape = name.encode(), np.array(shape, np.int32)
        made.type, made.buffer = schema.TensorType.FLOAT32, 0
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def read_instead(self, operator: schema.OperatorT, place: int, tensor: int) -> None:
        """Let ``operator`` read ``tensor`` as the input that stands at ``place``."""
        inputs = [int(each) for each in operator.inputs]
        inputs[place] = tensor
        operator.inputs = np.array(inputs, np.int32)
        self.users.setdefault(tensor, []).append(operator)

    def name(self, tensor: int) -> str:
        """The name of ``tensor``."""
        return self._graph.tensors[tensor].name.decode()

    def become(self, operator: schema.OperatorT, kind: int, inputs: Sequence[int], options_type: int, options) -> None:
        """Make ``operator`` one of another kind, with other inputs and options; it keeps its place and its outputs."""
        operator.opcodeIndex = self._code(kind)
        operator.inputs = np.array(inputs, np.int32)
        operator.builtinOptionsType, operator.builtinOptions = options_type, options
        for tensor in inputs:
            self.users.setdefault(int(tensor), []).append(operator)

    def insert_before(self, later: schema.OperatorT, made: schema.OperatorT) -> None:
        """Let ``made`` run just before ``later``."""
        position = next(index for index, operator in enumerate(self.operators) if operator is later)
        self.operators.insert(position, made)
        for tensor in made.outputs:
            self.makers[int(tensor)] = made

    def new_operator(
        self, kind: int, inputs: Sequence[int], output: int, options_type: int, options, version: int = 1
    ) -> schema.OperatorT:
        """An operator that is not in the model yet."""
        made = schema.OperatorT()
        made.outputs = np.array([output], np.int32)
        self.become(made, kind, inputs, options_type, options)
        made.opcodeIndex = self._code(kind, version)
        return made

    def new_reshape(self, tensor: int, output: int) -> schema.OperatorT:
        """A RESHAPE of ``tensor`` to the shape of ``output``, not in the model yet."""
        shape = np.array(self.shape(output), np.int32)
        wanted = self.add_tensor(f"{self.name(output)}/shape", [len(shape)], output, shape)
        options = schema.ReshapeOptionsT()
        options.newShape = shape
        kinds = schema.BuiltinOperator.RESHAPE, schema.BuiltinOptions.ReshapeOptions
        return self.new_operator(kinds[0], [tensor, wanted], output, kinds[1], options)

    def insert_after(self, earlier: schema.OperatorT, made: schema.OperatorT) -> None:
        """Let ``made`` run just after ``earlier``."""
        position = next(index for index, operator in enumerate(self.operators) if operator is earlier)
        self.operators.insert(position + 1, made)
        for tensor in made.outputs:
            self.makers[int(tensor)] = made

    def replace(self, old: schema.OperatorT, made: schema.OperatorT) -> None:
        """Let ``made`` run in the place of ``old``."""
        self.insert_before(old, made)
        self.operators.remove(old)

    def put_in_order(self) -> None:
        """Number the tensors, and with them the buffers, as the operators come to use them.

        Some of TensorFlow's own rewrites number them by a table that is hashed anew in each process. What dequantizes a
        constant runs just before the first operator that reads it.
        """
        early = {id(operator) for operator in self.operators if self._reads_constants_alone(operator)}
        operators: List[schema.OperatorT] = []
        seen: Dict[int, None] = dict.fromkeys(int(tensor) for tensor in self._graph.inputs)
        for operator in self.operators:
            if id(operator) not in early:
                for made in [self.makers.get(int(tensor)) for tensor in operator.inputs]:
                    if made is not None and id(made) in early:
                        early.remove(id(made))
                        operators.append(made)
                operators.append(operator)
        for operator in operators:
            seen.update(dict.fromkeys(int(tensor) for tensor in [*operator.inputs, *operator.outputs]))
        seen.update(dict.fromkeys(range(len(self._graph.tensors))))
        self._graph.operators = operators
        self._keep_tensors([tensor for tensor in seen if tensor >= 0])
        self._keep_buffers(self._held_buffers())

    def _reads_constants_alone(self, operator: schema.OperatorT) -> bool:
        is_read = any(int(tensor) in self.users for tensor in operator.outputs)
        held = [self._model.buffers[self._graph.tensors[int(tensor)].buffer].data for tensor in operator.inputs]
        return is_read and self.kind(operator) == schema.BuiltinOperator.DEQUANTIZE and held[0] is not None

    def to_bytes(self) -> bytes:
        """The model as a flatbuffer, without the operators, tensors and constants that no output depends on."""
        return bytes(self.to_memory())

    def to_memory(self) -> memoryview:
        """The same in memory that takes no room for zeros, as ``sparse_memory`` has it."""
        self._remove_dead()
        return packed_in_memory(self._model, self._size)

    def set_version(self, operator: schema.OperatorT, version: int) -> None:
        """Let the runtime take ``operator`` for one of this version of its kind."""
        operator.opcodeIndex = self._code(self.kind(operator), version)

    def _code(self, kind: int, version: int = 1) -> int:
        if (kind, version) not in self._codes:
            code = schema.OperatorCodeT()
            # The older field is what readers from before TF 2.4 know, and holds no more than 127.
            code.builtinCode, code.deprecatedBuiltinCode, code.version = kind, min(kind, 127), version
            self._model.operatorCodes.append(code)
            self._codes[kind, version] = len(self._model.operatorCodes) - 1
        return self._codes[kind, version]

    def _remove_dead(self) -> None:
        graph, model = self._graph, self._model
        needed = {int(tensor) for tensor in graph.outputs}
        live = []
        for operator in reversed(graph.operators):
            if needed & {int(tensor) for tensor in operator.outputs}:
                live.append(operator)
                needed.update(int(tensor) for tensor in operator.inputs)
        graph.operators = live[::-1]
        needed |= {int(tensor) for operator in live for tensor in operator.outputs}
        needed |= {int(tensor) for tensor in graph.inputs}
        self._keep_tensors(sorted(needed - {-1}))
        self._keep_buffers(sorted(self._held_buffers()))
        used = sorted({operator.opcodeIndex for operator in graph.operators})
        model.operatorCodes = [model.operatorCodes[index] for index in used]
        for operator in graph.operators:
            operator.opcodeIndex = used.index(operator.opcodeIndex)

    def _keep_tensors(self, tensors: List[int]) -> None:
        """Keep the ``tensors`` alone, in this order."""
        graph = self._graph
        places = {-1: -1, **{old: new for new, old in enumerate(tensors)}}
        graph.tensors = [graph.tensors[tensor] for tensor in tensors]
        for holder in graph.operators:
            holder.inputs = np.array([places[int(tensor)] for tensor in holder.inputs], np.int32)
            holder.outputs = np.array([places[int(tensor)] for tensor in holder.outputs], np.int32)
        graph.inputs = np.array([places[int(tensor)] for tensor in graph.inputs], np.int32)
        graph.outputs = np.array([places[int(tensor)] for tensor in graph.outputs], np.int32)

    def _held_buffers(self) -> List[int]:
        # The first buffer is the empty one of all computed tensors; metadata have buffers of their own.
        kept = [
            *(tensor.buffer for tensor in self._graph.tensors),
            *(each.buffer for each in self._model.metadata or []),
        ]
        return list(dict.fromkeys([0, *kept]))

    def _keep_buffers(self, order: List[int]) -> None:
        """Keep the buffers ``order`` alone, in this order."""
        model = self._model
        model.buffers = [model.buffers[index] for index in order]
        moved = {old: new for new, old in enumerate(order)}
        for holder in [*self._graph.tensors, *(model.metadata or [])]:
            holder.buffer = moved[holder.buffer]
