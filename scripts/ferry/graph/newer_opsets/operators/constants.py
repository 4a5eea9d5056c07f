"""Constants: tensors, numbers and windows whose size is constant."""

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE

from ferry.graph.newer_opsets import unchanged
from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

_DTYPES = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}


@lowers("Constant", since=1)
def constant(call: Call) -> None:
    """An initializer, in whichever attribute the value is given."""
    given = [name for name in call.attributes if name.startswith("value") or name == "sparse_value"]
    if len(given) != 1 or not (given[0] == "value" or given[0] in _DTYPES):
        raise call.refuse(f"its value is given as {' and '.join(given) or 'nothing'}, and it must be one dense tensor")
    value = call.attributes[given[0]]
    if given[0] == "value" and not isinstance(value, onnx.TensorProto):
        raise call.refuse("its value is no tensor")
    tensor = onnx.TensorProto()
    tensor.CopyFrom(value if given[0] == "value" else numpy_helper.from_array(np.array(value, _DTYPES[given[0]])))
    tensor.name = call.outputs[0]
    call.graph.add_initializer(tensor)


# The cosines' factors, from the constant one on.
_WINDOWS = {"HannWindow": (0.5, 0.5), "HammingWindow": (25 / 46, 21 / 46), "BlackmanWindow": (0.42, 0.5, 0.08)}


@lowers(*_WINDOWS, since=17)
def window(call: Call) -> None:
    """A window function of a constant size."""
    size = call.integers(0, "size")[0]
    period = size if call.get("periodic", 1) else max(size - 1, 1)
    angles = 2 * np.pi * np.arange(size) / period
    terms = enumerate(_WINDOWS[call.node.op_type])
    values = sum((-1) ** harmonic * factor * np.cos(harmonic * angles) for harmonic, factor in terms)
    dtype = TENSOR_TYPE_TO_NP_TYPE[call.get("output_datatype", onnx.TensorProto.FLOAT)]
    _as_output(call, np.asarray(values).astype(dtype))


@lowers("MelWeightMatrix", since=17)
def mel_weights(call: Call) -> None:
    """Triangles over the bins of a spectrum, evenly spaced on the mel scale; all that it takes must be constant."""
    bins, length, rate = (call.integers(position, "sizes")[0] for position in range(3))
    lower, upper = (float(call.value(position, "frequencies").reshape(-1)[0]) for position in (3, 4))
    lowest, highest = (2595 * np.log10(1 + frequency / 700) for frequency in (lower, upper))
    # ONNX divides the scale by the number of edges, not by that of the steps between them.
    mels = lowest + np.arange(bins + 2) * (highest - lowest) / (bins + 2)
    edges = ((length + 1) * 700 * (10 ** (mels / 2595) - 1) // rate).astype(np.int64)
    matrix = np.zeros((length // 2 + 1, bins))
    for column in range(bins):
        left, peak, right = edges[column : column + 3]
        rise, fall = max(peak - left, 1), max(right - peak, 1)
        matrix[left : peak + 1, column] = np.arange(peak - left + 1) / rise
        matrix[peak:right, column] = np.arange(right - peak, 0, -1) / fall
        if left == peak:
            matrix[peak, column] = 1
    dtype = TENSOR_TYPE_TO_NP_TYPE[call.get("output_datatype", onnx.TensorProto.FLOAT)]
    _as_output(call, matrix.astype(dtype))


@lowers("Range", since=13)
def numbers(call: Call) -> None:
    """A constant where the bounds are, which may be vectors of one number: ONNX Runtime 1.4 takes scalars alone."""
    bounds = [call.graph.value(call.input(position)) for position in range(3)]
    if any(bound is None or bound.size != 1 for bound in bounds):
        unchanged.write(call, without="stash_type")
        return
    start, limit, delta = (bound.reshape(-1)[0] for bound in bounds if bound is not None)
    if not delta:
        raise call.refuse("its steps have the size 0")
    count = max(0, int(np.ceil((limit - start) / delta)))
    _as_output(call, (start + delta * np.arange(count)).astype(start.dtype))


def _as_output(call: Call, array: np.ndarray) -> None:
    call.graph.add_initializer(numpy_helper.from_array(array, call.outputs[0]))
