"""Count the multiplications of a ``.tflite``: two networks that differ in these are not equally fast."""

from typing import List

import numpy as np
import tflite as schema

_OPERATOR = schema.BuiltinOperator


def multiply_adds(data: bytes) -> int:
    """The multiply-adds of one inference, in the convolutions and matrix products, of batch size as in the file.

    Each element of the output is a sum over the weights' other dimensions: of a convolution's (O, H, W, I) all but the
    first, of a depthwise one's (1, H, W, C) all but the last, of a fully connected layer's (O, I) the second, of a
    batched product's left side (…, M, K) the last.
    """
    model = schema.Model.GetRootAsModel(data, 0)
    total = 0
    for position in range(model.SubgraphsLength()):
        graph = model.Subgraphs(position)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = model.OperatorCodes(operator.OpcodeIndex())
            builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            if builtin in (_OPERATOR.CONV_2D, _OPERATOR.FULLY_CONNECTED):
                total += _size(graph, operator.Outputs(0)) * _product(_shape(graph, operator.Inputs(1))[1:])
            elif builtin == _OPERATOR.DEPTHWISE_CONV_2D:
                total += _size(graph, operator.Outputs(0)) * _product(_shape(graph, operator.Inputs(1))[:-1])
            elif builtin == _OPERATOR.TRANSPOSE_CONV:
                # Each element of its input goes into as many of the output as a filter has.
                weights = _shape(graph, operator.Inputs(1))
                total += _size(graph, operator.Inputs(2)) * _product(weights[:-1])
            elif builtin == _OPERATOR.BATCH_MATMUL:
                total += _size(graph, operator.Outputs(0)) * _summed(graph, operator)
    return total


def _summed(graph: schema.SubGraph, product: schema.Operator) -> int:
    """How many products each element of a BATCH_MATMUL is the sum of."""
    options = schema.BatchMatMulOptions()
    options.Init(product.BuiltinOptions().Bytes, product.BuiltinOptions().Pos)
    return _shape(graph, product.Inputs(0))[-2 if options.AdjX() else -1]


def _shape(graph: schema.SubGraph, tensor: int) -> List[int]:
    return [int(size) for size in graph.Tensors(tensor).ShapeAsNumpy()]


def _size(graph: schema.SubGraph, tensor: int) -> int:
    return _product(_shape(graph, tensor))


def _product(sizes: List[int]) -> int:
    return int(np.prod(sizes, dtype=np.int64))
