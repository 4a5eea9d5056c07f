"""The tensors of a network on some inputs, kept as no more than what a coverage needs of them."""

from typing import Dict, Iterable, List, NamedTuple, Tuple

import numpy as np
import onnx

from ferry.graph.shapes import element_types
from ferry.runtimes.onnx_runtime import OnnxRuntime

# A tensor, and the axis along which its channels lie.
Channels = Tuple[str, int]


class Extremes(NamedTuple):
    """The lowest and the highest value that each channel of a tensor took."""

    lowest: np.ndarray
    highest: np.ndarray


class Observed(NamedTuple):
    """The extremes of each tensor asked for that could be observed, and the rows that each index read."""

    extremes: Dict[Channels, Extremes]
    rows: Dict[str, np.ndarray]


def observe(
    model: onnx.ModelProto, wanted: Iterable[Channels], tables: Dict[str, int], samples: Iterable[List[np.ndarray]]
) -> Observed:
    """Run ``model`` in ONNX Runtime on ``samples``, each one array an input.

    Args:
        tables: how many rows an index tensor picks from, by its name.

    Raises:
        UnsupportedModelError: ONNX Runtime cannot run it.
    """
    runtime = _runtime(model, {*(name for name, _ in wanted), *tables})
    inputs = [spec.name for spec in runtime.inputs]
    observed = Observed({}, {name: np.zeros(rows, bool) for name, rows in tables.items()})
    for arrays in samples:
        values = dict(zip(inputs, arrays))
        values.update(zip((spec.name for spec in runtime.outputs), runtime.run(arrays)))
        for channels in wanted:
            if channels[0] in values:
                _widen(observed.extremes, channels, np.asarray(values[channels[0]]))
        for name, mask in observed.rows.items():
            mark(mask, np.asarray(values.get(name, np.zeros(0, np.int64))))
    return observed


def mark(rows: np.ndarray, index: np.ndarray) -> None:
    """Note in ``rows`` those that an ``index`` reads; a negative one counts from the end."""
    rows[index.astype(np.int64).ravel() % len(rows)] = True


def _runtime(model: onnx.ModelProto, names: Iterable[str]) -> OnnxRuntime:
    types = element_types(model)
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    declared = {info.name for info in (*model.graph.output, *model.graph.input)}
    for name in sorted(name for name in set(names) - declared if name in types):
        kind = onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[types[name]]
        extended.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    return OnnxRuntime("model.onnx", extended)


def _widen(extremes: Dict[Channels, Extremes], channels: Channels, array: np.ndarray) -> None:
    axis = channels[1]
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    rank = array.ndim
    if not array.size:
        return
    # Where there is no such axis all is one channel.
    kept = axis % rank if rank and -rank <= axis < rank else None
    others = tuple(each for each in range(rank) if each != kept)
    lowest, highest = np.atleast_1d(array.min(axis=others)), np.atleast_1d(array.max(axis=others))
    known = extremes.get(channels)
    if known is not None and known.lowest.shape == lowest.shape:
        lowest, highest = np.minimum(known.lowest, lowest), np.maximum(known.highest, highest)
    extremes[channels] = Extremes(lowest, highest)
