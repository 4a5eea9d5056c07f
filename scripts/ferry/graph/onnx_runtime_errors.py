"""What ONNX Runtime raises. Its types share no base but ``Exception``."""

from typing import Tuple, Type

from onnxruntime.capi import onnxruntime_pybind11_state as state

REFUSALS: Tuple[Type[Exception], ...] = (
    state.EPFail,
    state.EngineError,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.ModelLoaded,
    state.NoModel,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
)
