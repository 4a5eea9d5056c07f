"""Find where a stage breaks: the comparisons that a stage consists of, in order, until one finds a difference."""

import os
from collections import Counter
from typing import Dict, List, Optional, Tuple, Union

import numpy as np
import onnx
import torch

from ferry.bisect import pytorch_trace
from ferry.bisect.distance import distance, is_fault
from ferry.bisect.finding import Finding, Node
from ferry.bisect.onnx_side import OnnxSide
from ferry.bisect.side import Reference, Side, Values
from ferry.bisect.tensorflow_side import TensorflowSide, places
from ferry.bisect.tflite_side import TfliteSide
from ferry.bisect.walk import Difference, error_from_inputs, walk
from ferry.errors import FerryError, UnsupportedModelError
from ferry.export import pytorch_export
from ferry.frozen import frozen_graph
from ferry.graph import onnx_file
from ferry.graph.onnx_node import line_of
from ferry.graph.shapes import static_shapes
from ferry.lowering import convert_onnx
from ferry.lowering.recurrence import Recurrence
from ferry.model import model_file
from ferry.model.model_source import ModelSource
from ferry.runtimes.onnx_reference import OnnxReference
from ferry.tflite import flatbuffer

STAGES = ("onnx", "tensorflow", "tflite")


class Bisection:
    """One model and its artifacts, opened as far as a stage needs them.

    Args:
        model: the model file, and what goes with it.
        build: the folder with ``model.onnx``, ``model.pb`` and ``model.tflite``.
        layout: what the latter two were made with, ``nchw`` or ``nhwc``.

    ``stages`` are those that can be walked: of a model that came as ONNX or from another PyTorch, all but the export.

    Raises:
        FerryError: the model file cannot be loaded.
    """

    def __init__(self, model: Union[str, ModelSource], build: str, layout: str = "nchw"):
        self._build, self._layout = build, layout
        source = self._source = ModelSource(model) if isinstance(model, str) else model
        self.stages: Tuple[str, ...] = STAGES
        self._pytorch: Optional[model_file.PytorchModel] = None
        if source.path.endswith(".onnx") or source.needs_other_torch:
            # There is no PyTorch in this process to hold the pieces of the ONNX model against.
            self.stages = STAGES[1:]
            exported = ModelSource(self.path("model.onnx")) if source.needs_other_torch else source
            self.examples = OnnxReference(exported).example_inputs
        else:
            pytorch_export.install()
            self._pytorch = self._load()
            self.examples = [tensor.numpy() for tensor in self._pytorch.example_inputs]
        self._recording: Optional[pytorch_trace.Recording] = None
        self._onnx: Optional[onnx.ModelProto] = None
        self._scopes: Optional[Dict[str, str]] = None

    def find(self, stage: str, arrays: List[np.ndarray]) -> Optional[Finding]:
        """Where ``stage`` breaks on the inputs ``arrays``; ``None`` where no piece of it does.

        Raises:
            FerryError: an artifact cannot be read.
        """
        return {"onnx": self._export, "tensorflow": self._lowering, "tflite": self._conversion}[stage](arrays)

    def _export(self, arrays: List[np.ndarray]) -> Optional[Finding]:
        whole, recording = OnnxSide(self.onnx_model()), self.recorded()
        names = pytorch_trace.names_in(recording, whole.model)
        if not names:
            note = "model.onnx is not what PyTorch exports of this model file now; make it with `make -B onnx`"
            return Finding("onnx", "export", notes=(note,))
        inputs = fed(whole, arrays)
        reference = pytorch_trace.TracedPytorch(self.module(), recording, names, list(inputs))
        fault = self._trace_fault(reference, [info.name for info in whole.model.graph.output], inputs)
        if fault:
            return Finding("onnx", "trace", notes=(fault,))
        side = OnnxSide(whole.model)
        # The exporter's rewriting of in-place operators may leave a name on another tensor.
        side.certain = False
        side.points = [point for point in side.points if point.name in names]
        return self._walked("onnx", "export", reference, side, inputs, whole)

    def _lowering(self, arrays: List[np.ndarray]) -> Optional[Finding]:
        original = OnnxSide(self.onnx_model())
        inputs = fed(original, arrays)
        rewritten = convert_onnx.rewrite(original.model)
        common = OnnxSide(rewritten)
        # A scale may have been moved past a tensor, which keeps its name.
        common.certain = False
        common.points = [point for point in common.points if point.name in original.producer]
        found = self._walked("tensorflow", "rewriting", original, common, inputs, original)
        if found:
            return found
        reference = OnnxSide(convert_onnx.prepare(original.model))
        light = frozen_graph.load_light(self.path("model.pb"))
        recurrent = frozen_graph.recurrent(light.graph_def)
        side = TensorflowSide(light, places(reference.model, self._layout, light.graph_def))
        again = convert_onnx.convert(original.model, self._layout, recurrence=Recurrence(recurrent))
        if frozen_graph.onnx_digest(light.graph_def):
            frozen_graph.note_origin(again, frozen_graph.onnx_digest(light.graph_def), recurrent)
        side.certain = frozen_graph.to_bytes(light.whole()) == frozen_graph.to_bytes(again)
        found = self._walked("tensorflow", "lowering", reference, side, fed(reference, arrays), reference)
        if found and not side.certain:
            found = found._replace(
                notes=("model.pb is not what model.onnx converts to now; make it with `make -B tf`",)
            )
        return found

    def _conversion(self, arrays: List[np.ndarray]) -> Optional[Finding]:
        reference = OnnxSide(convert_onnx.prepare(self.onnx_model()))
        light = frozen_graph.load_light(self.path("model.pb"))
        found = places(reference.model, self._layout, light.graph_def)
        graph = TensorflowSide(light, found).graph
        side = TfliteSide(flatbuffer.load(self.path("model.tflite")), graph, found)
        return self._walked("tflite", "conversion", reference, side, fed(reference, arrays), reference)

    def _walked(
        self, stage: str, step: str, reference: Reference, side: Side, inputs: Values, graph: OnnxSide
    ) -> Optional[Finding]:
        outputs = {info.name for info in graph.model.graph.output}
        differences = walk(reference, side, inputs, outputs, _sizes(graph.model))
        if not differences:
            return None
        first, *rest = differences
        node, *also = self.nodes(first, graph)
        before = [error_from_inputs(reference, side, inputs, source) for source in first.sources]
        return Finding(
            stage,
            step,
            first.point.name,
            node,
            tuple(also),
            side.described(first.point),
            first.error,
            max(before, default=0.0),
            error_from_inputs(reference, side, inputs, first.point),
            tuple(Counter(graph.producer[each.point.name].op_type for each in rest).most_common()),
        )

    def nodes(self, difference: Difference, graph: OnnxSide) -> List[Node]:
        """The maker of the tensor, then whatever else the piece stands for, in the exported model."""
        maker = graph.producer[difference.point.name]
        known = [source.name for source in difference.sources]
        original = OnnxSide(self.onnx_model())
        whole = original if difference.point.name in original.producer else graph
        region = [*graph.region(difference.point.name, known), *whole.region(difference.point.name, known)]
        variable = {point.name for point in (*graph.points, *original.points)}
        others = {
            node.name: node for node in region if node.name != maker.name and not variable.isdisjoint(node.output)
        }
        return [Node(node.name, node.op_type, self._scope(node), line_of(node)) for node in (maker, *others.values())]

    def _scope(self, node: onnx.NodeProto) -> str:
        if self._scopes is None:
            model = self.onnx_model()
            try:
                recording = self.recorded()
            except FerryError:
                self._scopes = {}
            else:
                self._scopes = pytorch_trace.scope_names(recording, model)
        found = self._scopes.get(node.name)
        if found is not None:
            return found
        # A weight's name holds that of the module it belongs to.
        weights = [name.rpartition(".")[0] for name in node.input if "." in name]
        return weights[0] if weights else ""

    def module(self) -> model_file.PytorchModel:
        """The model in PyTorch.

        Raises:
            UnsupportedModelError: it came as ONNX.
        """
        if "onnx" not in self.stages:
            raise UnsupportedModelError(
                "the model came as ONNX, or from another PyTorch: there is none to bisect it against"
            )
        if self._pytorch is None:
            self._pytorch = self._load()
        return self._pytorch

    def _load(self) -> model_file.PytorchModel:
        return model_file.load(self._source.path, self._source.weights, self._source.input_shape)

    def let_go_of_pytorch(self) -> None:
        """Free the model in PyTorch; it is loaded again when it is asked for."""
        self._pytorch = None

    def recorded(self) -> pytorch_trace.Recording:
        """What PyTorch's exporter makes of the model, once more.

        Raises:
            FerryError: it came as ONNX, or cannot be exported.
        """
        if self._recording is None:
            self._recording = pytorch_trace.record(self.module())
        return self._recording

    def onnx_model(self) -> onnx.ModelProto:
        """The model in ``model.onnx``.

        Raises:
            FerryError: it cannot be read.
        """
        if self._onnx is None:
            self._onnx = onnx_file.load(self.path("model.onnx"))
        return self._onnx

    def path(self, name: str) -> str:
        """Where the artifact ``name`` is."""
        return os.path.join(self._build, name)

    def _trace_fault(self, reference: pytorch_trace.TracedPytorch, names: List[str], inputs: Values) -> str:
        """What is wrong with the trace as a whole, or nothing."""
        with torch.no_grad():
            made = self.module().module(*(torch.from_numpy(array.copy()) for array in inputs.values()))
        wanted = [tensor.detach().numpy() for tensor in model_file.tensors_in("", made)]
        try:
            traced = reference.values([name for name in names if name in reference.names], inputs)
        except RuntimeError as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
            return f"PyTorch cannot run what its exporter recorded of the model: {reason}"
        for name, array in zip(names, wanted):
            if name in traced and is_fault(traced[name], array):
                return (
                    f"what PyTorch's exporter recorded of the model is off in {name} by "
                    f"{distance(traced[name], array):.1e} of its scale already"
                )
        return ""


def fed(side: OnnxSide, arrays: List[np.ndarray]) -> Values:
    """The network's inputs by their ONNX names."""
    return dict(zip([point.name for point in side.inputs], arrays))


def _sizes(model: onnx.ModelProto) -> Dict[str, int]:
    # Nearly every tensor is of four bytes an element, and an estimate is all that is needed.
    return {name: 4 * int(np.prod(shape)) for name, shape in static_shapes(model).items()}
