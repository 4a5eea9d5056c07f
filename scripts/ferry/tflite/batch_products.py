"""Put each batched product that TensorFlow's converter has unrolled together again, as one BATCH_MATMUL.

TF 2.4's converter writes a product of batches of static shape as one FULLY_CONNECTED for each pair of matrices, between
slices and a PACK, and has no switch for it in Python. An attention of 12 heads is 60 operators so, and each slice is a
copy.
"""

from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from ferry.tflite.editable import IDENTIFIER, EditableModel

_KIND, _OPTIONS = schema.BuiltinOperator, schema.BuiltinOptions
_SWAPPED = [0, 2, 1]


class _Matrix(NamedTuple):
    """A matrix that an unrolled product reads: the one at ``position`` of the batch ``source``, or a constant."""

    source: Optional[int]
    position: int
    value: Optional[int]


class _Batch(NamedTuple):
    """What one side of a product reads: a tensor [count, rows, columns] of matrices, perhaps transposed.

    ``dims`` are the two dimensions, of product ``count``, in which the matrices broadcast with the other side's.
    """

    tensor: int
    transposed: bool
    dims: Tuple[int, int]


def rolled_up(data: bytes) -> Tuple[bytes, int]:
    """The same model with its unrolled products as BATCH_MATMUL, and how many there are.

    ``data`` itself is returned where there is none. A product stays unrolled where it is quantized, has a bias or an
    activation, or pairs its matrices otherwise than NumPy's broadcasting does.
    """
    rolled, count = rolled_up_in_memory(data)
    return bytes(rolled), count


def rolled_up_in_memory(data: Union[bytes, memoryview]) -> Tuple[Union[bytes, memoryview], int]:
    """The same in memory that takes no room for zeros, as ``sparse_memory`` has it."""
    if data[4:8] != IDENTIFIER or schema.Model.GetRootAsModel(data, 0).SubgraphsLength() != 1:
        return data, 0
    model = EditableModel(data)
    count = sum(_roll_up(model, operator) for operator in list(model.operators) if model.kind(operator) == _KIND.PACK)
    return (model.to_memory(), count) if count else (data, 0)


def _roll_up(model: EditableModel, pack: schema.OperatorT) -> bool:
    if pack.builtinOptions.axis != 0 or not model.is_float(int(pack.outputs[0])):
        return False
    products = [_product(model, int(tensor)) for tensor in pack.inputs]
    pairs = [pair for pair in products if pair is not None]
    if len(pairs) < len(products):
        return False
    lefts, rights = [left for left, _ in pairs], [right for _, right in pairs]
    for inner in [len(pairs), *_divisors(len(pairs))]:
        sizes = (len(pairs) // inner, inner)
        left_dims, right_dims = (_broadcast(model, side, sizes) for side in (lefts, rights))
        if left_dims is not None and right_dims is not None:
            left = _batch(model, pack, lefts, left_dims, "left")
            right = _batch(model, pack, rights, right_dims, "right")
            _write(model, pack, left, right, sizes)
            return True
    return False


def _product(model: EditableModel, tensor: int) -> Optional[Tuple[_Matrix, _Matrix]]:
    """The two matrices whose product ``tensor`` is, the second one as it is before FULLY_CONNECTED transposes it."""
    operator = model.made_by(tensor, _KIND.FULLY_CONNECTED)
    if operator is None or operator.builtinOptions.fusedActivationFunction or not model.is_float(tensor):
        return None
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        return None
    left = _matrix(model, int(operator.inputs[0]))
    weights = int(operator.inputs[1])
    if model.constant(weights) is not None:
        right: Optional[_Matrix] = _Matrix(None, 0, weights)
    else:
        turned = model.made_by(weights, _KIND.TRANSPOSE)
        right = None if turned is None else _matrix(model, int(turned.inputs[0]))
        if right is not None and right.source is None:
            return None
    return None if left is None or right is None else (left, right)


def _matrix(model: EditableModel, tensor: int) -> Optional[_Matrix]:
    if model.constant(tensor) is not None:
        return _Matrix(None, 0, tensor)
    reshape = model.made_by(tensor, _KIND.RESHAPE)
    cut = reshape and model.made_by(int(reshape.inputs[0]), _KIND.SLICE)
    if not cut:
        return None
    source, begin, size = int(cut.inputs[0]), model.constant(int(cut.inputs[1])), model.constant(int(cut.inputs[2]))
    shape = model.shape(source)
    if begin is None or size is None or len(shape) != 3 or begin[1:].any() or size[0] != 1:
        return None
    whole = all(length in (-1, full) for length, full in zip(size[1:], shape[1:]))
    return _Matrix(source, int(begin[0]), None) if whole and model.shape(tensor) == shape[1:] else None


def _divisors(number: int) -> List[int]:
    return [divisor for divisor in range(number - 1, 0, -1) if number % divisor == 0]


def _broadcast(model: EditableModel, side: Sequence[_Matrix], sizes: Tuple[int, int]) -> Optional[Tuple[int, int]]:
    """The two batch dimensions in which the matrices of ``side`` broadcast to ``sizes``; ``None`` where they do not."""
    count, inner = len(side), sizes[1]
    if side[0].source is None:
        return sizes if all(matrix.value is not None for matrix in side) else None
    if any(matrix.source != side[0].source for matrix in side):
        return None
    patterns: List[Tuple[Tuple[int, int], Callable[[int], int]]] = [
        (sizes, lambda index: index),
        ((1, inner), lambda index: index % inner),
        ((sizes[0], 1), lambda index: index // inner),
        ((1, 1), lambda index: 0),
    ]
    held = model.shape(side[0].source)[0]
    for dims, position in patterns:
        if held == dims[0] * dims[1] and all(side[index].position == position(index) for index in range(count)):
            return dims
    return None


def _batch(
    model: EditableModel, pack: schema.OperatorT, side: Sequence[_Matrix], dims: Tuple[int, int], place: str
) -> _Batch:
    tensor = side[0].source
    if tensor is None:
        values = [model.constant(int(matrix.value)) for matrix in side if matrix.value is not None]
        stacked = np.stack([value for value in values if value is not None])
        output = int(pack.outputs[0])
        made = model.add_tensor(f"{model.name(output)}/{place}", stacked.shape, output, stacked)
        # FULLY_CONNECTED keeps its weights transposed.
        return _Batch(made, place == "right", dims)
    turned = model.made_by(tensor, _KIND.TRANSPOSE)
    order = None if turned is None else model.constant(int(turned.inputs[1]))
    if turned is not None and order is not None and order.tolist() == _SWAPPED:
        return _Batch(int(turned.inputs[0]), True, dims)
    return _Batch(tensor, False, dims)


def _write(model: EditableModel, pack: schema.OperatorT, left: _Batch, right: _Batch, sizes: Tuple[int, int]) -> None:
    """Make ``pack`` the product of the two batches, in three dimensions where they do and in four where they must."""
    options = schema.BatchMatMulOptionsT()
    options.adjX, options.adjY = left.transposed, right.transposed
    sides, total = [left, right], sizes[0] * sizes[1]
    if _write_in_four(model, pack, sides):
        return
    if all(side.dims[0] * side.dims[1] in (1, total) for side in sides):
        batches = [side.tensor for side in sides]
        model.become(pack, _KIND.BATCH_MATMUL, batches, _OPTIONS.BatchMatMulOptions, options)
        return
    output = int(pack.outputs[0])
    inputs: List[int] = []
    for side in sides:
        shape = [*side.dims, *model.shape(side.tensor)[1:]]
        reshaped = model.add_tensor(f"{model.name(output)}/batch_{len(inputs)}", shape, side.tensor)
        model.insert_before(pack, model.new_reshape(side.tensor, reshaped))
        inputs.append(reshaped)
    whole = model.add_tensor(f"{model.name(output)}/product", [*sizes, *model.shape(output)[1:]], output)
    product = model.new_operator(_KIND.BATCH_MATMUL, inputs, whole, _OPTIONS.BatchMatMulOptions, options)
    model.insert_before(pack, product)
    model.replace(pack, model.new_reshape(whole, output))


def _write_in_four(model: EditableModel, pack: schema.OperatorT, sides: Sequence[_Batch]) -> bool:
    """Where both sides and the product were of four dimensions before the converter unrolled them, leave them so.

    Each RESHAPE that is saved is a copy. So is half of a TRANSPOSE: one that moves the innermost dimension goes as far
    as the product's own transposition of that side does not.
    """
    output = int(pack.outputs[0])
    readers = model.users.get(output, [])
    if len(readers) != 1 or model.kind(readers[0]) != _KIND.RESHAPE or model.is_output(output):
        return False
    shape = model.shape(int(readers[0].outputs[0]))
    wholes = [_before_reshape(model, side.tensor) for side in sides]
    left, right = wholes
    if left is None or right is None or len(shape) != 4 or shape[2:] != model.shape(output)[1:]:
        return False
    if any(model.shape(whole)[:2] != shape[:2] for whole in (left, right)):
        return False
    options = schema.BatchMatMulOptionsT()
    inputs, transposed = [], []
    for whole, side in zip((left, right), sides):
        tensor, swapped = _less_transposed(model, pack, whole)
        inputs.append(tensor)
        transposed.append(swapped != side.transposed)
    options.adjX, options.adjY = transposed
    kinds = _KIND.BATCH_MATMUL, _OPTIONS.BatchMatMulOptions
    product = model.new_operator(kinds[0], inputs, int(readers[0].outputs[0]), kinds[1], options)
    model.replace(readers[0], product)
    return True


def _before_reshape(model: EditableModel, tensor: int) -> Optional[int]:
    """The tensor of four dimensions that ``tensor`` is with the first two made one; ``None`` where there is none."""
    reshape = model.made_by(tensor, _KIND.RESHAPE)
    if reshape is None:
        return None
    whole = int(reshape.inputs[0])
    shape = model.shape(whole)
    return whole if len(shape) == 4 and shape[2:] == model.shape(tensor)[1:] else None


def _less_transposed(model: EditableModel, pack: schema.OperatorT, tensor: int) -> Tuple[int, bool]:
    """``tensor``, or one with its last two dimensions swapped that takes no move of the innermost dimension."""
    turned = model.made_by(tensor, _KIND.TRANSPOSE)
    order = None if turned is None else model.constant(int(turned.inputs[1]))
    if turned is None or order is None or order[2] != 3 or len(model.users.get(tensor, [])) != 1:
        return tensor, False
    shape = model.shape(tensor)
    name = f"{model.name(tensor)}/less_transposed"
    swapped = model.add_tensor(name, [*shape[:2], shape[3], shape[2]], tensor)
    permutation = np.array([order[0], order[1], order[3], order[2]], np.int32)
    constant = model.add_tensor(f"{name}/perm", [4], tensor, permutation)
    kinds = _KIND.TRANSPOSE, _OPTIONS.TransposeOptions
    source = int(turned.inputs[0])
    made = model.new_operator(kinds[0], [source, constant], swapped, kinds[1], schema.TransposeOptionsT())
    model.insert_before(turned, made)
    return swapped, True
