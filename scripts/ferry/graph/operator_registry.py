"""The table of operators: what is true of each ONNX operator that Ferry lowers, and the functions that lower it.

Passes over the graph and the lowerings read the same table, so that a fact about an operator stands here and nowhere
else. It imports no TensorFlow: a pass used alone sees it whole. A lowering names its operators with :func:`lowers`,
which refuses one that has no row here; a test says that each row has a lowering. The decorator is modelled on
litert-torch's ``odml_torch.lowerings.registry``.
"""

from enum import Enum
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, TypeVar


class Layout(Enum):
    """In which layout an operator's lowering computes."""

    ANY = "in the one that its operands were made in"
    CHANNELS_LAST = "with the channels as the last dimension: TFLite has no other kernel"
    ONNX = "in ONNX's: its dimensions have no fixed meaning"


class Traits(NamedTuple):
    """What is true of one operator.

    ``elementwise``: one function is applied to each element of the first input, and the other inputs are scalars; so it
    works in any layout, and with channels in any order. ``homogeneous``: ``k`` times a channel of its first input, for
    ``k`` > 0, gives ``k`` times that channel of its output, and changes no other.
    """

    layout: Layout
    elementwise: bool = False
    homogeneous: bool = False


def _rows(traits: Traits, names: str) -> Dict[str, Traits]:
    return dict.fromkeys(names.split(), traits)


TABLE: Dict[str, Traits] = {
    **_rows(
        Traits(Layout.ANY, elementwise=True, homogeneous=True),
        "Abs Dropout Identity LeakyRelu Neg Relu",
    ),
    **_rows(
        Traits(Layout.ANY, elementwise=True),
        "Acos Acosh Asin Asinh Atan Atanh Cast Ceil Celu Clip Cos Cosh Elu Erf Exp Floor HardSigmoid IsInf IsNaN Log "
        "Not Selu Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh ThresholdedRelu",
    ),
    **_rows(
        Traits(Layout.ANY, homogeneous=True),
        "GlobalAveragePool GlobalMaxPool PRelu",
    ),
    **_rows(
        Traits(Layout.ANY),
        "Add And ArgMax ArgMin Concat Div Equal Gather Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Or Pad "
        "Pow ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
        "ReduceSumSquare Slice Split Sub Where Xor",
    ),
    **_rows(
        Traits(Layout.CHANNELS_LAST, homogeneous=True),
        "AveragePool MaxPool",
    ),
    **_rows(
        Traits(Layout.CHANNELS_LAST),
        "BatchNormalization Conv ConvTranspose DepthToSpace InstanceNormalization LRN Resize SpaceToDepth Upsample",
    ),
    **_rows(
        Traits(Layout.ONNX),
        "ConcatFromSequence ConstantOfShape CumSum Einsum Expand Flatten GRU GatherElements GatherND Gemm LSTM MatMul "
        "NonMaxSuppression OneHot QLinearConv QLinearMatMul RNN Reshape Scatter ScatterElements ScatterND SequenceAt "
        "SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Softmax SplitToSequence Tile TopK "
        "Transpose",
    ),
}

ELEMENTWISE: FrozenSet[str] = frozenset(name for name, traits in TABLE.items() if traits.elementwise)
HOMOGENEOUS: FrozenSet[str] = frozenset(name for name, traits in TABLE.items() if traits.homogeneous)

Lowering = Callable[..., Any]
LOWERINGS: Dict[str, Dict[int, Lowering]] = {}

_Function = TypeVar("_Function", bound=Lowering)


def lowers(*operators: str, order: int = 0) -> Callable[[_Function], _Function]:
    """Register the decorated lowering under each of ``operators``.

    Of several lowerings of one operator that of the lowest ``order`` is tried first.

    Raises:
        ValueError: an operator has no row in ``TABLE``, or another lowering of the same order.
    """

    def register(function: _Function) -> _Function:
        for operator in operators:
            if operator not in TABLE:
                raise ValueError(f"{operator} has no row in the table of operators: say what is true of it there")
            if LOWERINGS.setdefault(operator, {}).setdefault(order, function) is not function:
                raise ValueError(f"{operator} has another lowering of order {order}")
        return function

    return register


def lowerings_of(operator: str) -> List[Lowering]:
    """The lowerings of ``operator``, in the order in which they are tried; none where Ferry has none."""
    return [function for _, function in sorted(LOWERINGS.get(operator, {}).items())]


def layout_of(operator: str) -> Layout:
    """The layout in which ``operator`` computes. What has no lowering goes to onnx-tf, which computes in ONNX's."""
    return TABLE[operator].layout if operator in TABLE else Layout.ONNX
