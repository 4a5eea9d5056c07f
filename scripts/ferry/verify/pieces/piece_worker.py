"""The worker that holds the pieces of every stage against float64: a crash of a runtime is then the stage's alone."""

import math
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
import onnx

from ferry import heap
from ferry.bisect import pytorch_trace
from ferry.bisect.find import Bisection, fed
from ferry.bisect.onnx_side import OnnxSide
from ferry.bisect.side import Point, Side
from ferry.bisect.tensorflow_side import TensorflowSide, places
from ferry.bisect.tflite_side import TfliteSide
from ferry.bisect.walk import Difference
from ferry.errors import FerryError, UnsupportedModelError
from ferry.evaluate.graph import lacking
from ferry.frozen import frozen_graph
from ferry.graph.from_onnx import from_onnx
from ferry.graph.pass_list import NAMING, REWRITING
from ferry.graph.pass_manager import PassManager
from ferry.graph.to_onnx import to_onnx
from ferry.lowering import convert_onnx
from ferry.model.model_source import ModelSource
from ferry.tflite import flatbuffer
from ferry.verify.pieces import stage_pieces
from ferry.verify.pieces.prove import Examined, Expected, Proof, Prover
from ferry.verify.pieces.region import Regions
from ferry.verify.pieces.stage_pieces import Roundest, StagePieces, WrongPiece
from ferry.verify.pieces.traced_pieces import TracedPieces
from ferry.verify.pieces.undecided import undecided


class PieceWorker:
    """The pieces of the artifacts in ``build`` of ``model``; ``layout`` is what the last two of them were made with."""

    def __init__(self, model: ModelSource, build: str, layout: str):
        heap.return_large_blocks()
        self._bisection = Bisection(model, build, layout)
        self._layout = layout
        self._failing: Dict[str, List[np.ndarray]] = {}

    @property
    def examples(self) -> List[np.ndarray]:
        """The model's example inputs."""
        return self._bisection.examples

    def hello(self) -> Dict[str, Any]:
        """Nothing but that it is there."""
        return {}

    def prove(
        self, stages: List[str], arrays: List[np.ndarray], failing: Optional[Dict[str, List[np.ndarray]]] = None
    ) -> Dict[str, StagePieces]:
        """What comes of ``stages`` on the inputs ``arrays``; those that share their pieces are best asked together.

        ``failing`` holds the worst input of each stage that fails end to end: on it choices that hang on rounding are
        looked for.
        """
        found: Dict[str, StagePieces] = {}
        self._failing = failing or {}
        for group, proven in ((["onnx"], self._export), (["tensorflow", "tflite"], self._conversions)):
            wanted = [stage for stage in group if stage in stages]
            if not wanted:
                continue
            try:
                found.update(proven(wanted, arrays))
            except FerryError as error:
                found.update({stage: stage_pieces.none(str(error)) for stage in wanted})
        return found

    def _export(self, stages: List[str], arrays: List[np.ndarray]) -> Dict[str, StagePieces]:
        model = self._bisection.onnx_model()
        regions, side = _regions(model), OnnxSide(model)
        inputs = fed(side, arrays)
        expected: Optional[Expected] = None
        if "onnx" in self._bisection.stages:
            recording = self._bisection.recorded()
            names = pytorch_trace.names_in(recording, model) or pytorch_trace.aligned_names(recording, model)
            # The exporter's rewriting of in-place operators may leave a name on another tensor.
            side.certain = False
            side.points = [point for point in side.points if point.name in names]
            expected = TracedPieces(self._bisection.module(), recording, names, inputs, regions).expected
        proofs = Prover(regions, inputs, expected).prove({"onnx": side})
        return {stage: self._summarised(stage, proofs[stage], side, regions) for stage in stages}

    def _conversions(self, stages: List[str], arrays: List[np.ndarray]) -> Dict[str, StagePieces]:
        original = self._bisection.onnx_model()
        # The pieces are those of the model with its constants folded alone, so that what another pass does wrong shows.
        graph = from_onnx(original)
        PassManager([REWRITING[0], *NAMING]).run(graph)
        model = to_onnx(graph)
        del graph
        self._bisection.let_go_of_pytorch()
        regions = _regions(model)
        light = frozen_graph.load_light(self._bisection.path("model.pb"))
        found = places(convert_onnx.prepare(original), self._layout, light.graph_def)
        tensorflow = TensorflowSide(light, found)
        openers: Dict[str, Callable[[], Side]] = {
            "tensorflow": lambda: tensorflow,
            "tflite": lambda: TfliteSide(
                flatbuffer.load(self._bisection.path("model.tflite")), tensorflow.graph, found
            ),
        }
        sides: Dict[str, Side] = {}
        for stage in stages:
            side = sides[stage] = openers[stage]()
            # A pass may have moved a scale past a tensor, which keeps its name.
            side.certain = False
            side.points = [point for point in side.points if point.name in regions.side.producer]
        proofs = Prover(regions, fed(regions.side, arrays)).prove(sides)
        return {stage: self._summarised(stage, proofs[stage], sides[stage], regions) for stage in stages}

    def _summarised(self, stage: str, proof: Proof, side: Side, regions: Regions) -> StagePieces:
        suspects = {each.point for each in proof.pieces if each.wrong_on} - {each.point for each in proof.wrong}
        # Of a tensor under another's name nothing is said; what is computed across it was held against float64.
        pieces = [each for each in proof.pieces if each.point not in suspects]
        judged = [each for each in pieces if each.unjudged is None]
        unknown = self._outputs_without_a_piece(side, regions)
        return StagePieces(
            count=len(pieces) + len(unknown),
            judged=len(judged),
            loose=sum(each.loose for each in judged),
            unjudged=sorted({*unknown, *(each.unjudged for each in pieces if each.unjudged is not None)}),
            resolution=max((each.resolution for each in judged if not each.loose and not each.wrong_on), default=None),
            wrong=[self._wrong(each, side, regions) for each in proof.wrong],
            roundest=_roundest(judged, regions),
            reason=None if pieces else "no tensor of it is known by its name",
            undecided=undecided(regions, side, fed(regions.side, self._failing[stage]))
            if stage in self._failing and not proof.wrong
            else None,
        )

    def _outputs_without_a_piece(self, side: Side, regions: Regions) -> List[str]:
        known = {point.name for point in (*side.inputs, *side.points)}
        outputs = [info.name for info in regions.side.model.graph.output]
        return [f"nothing in it is known to be the output {name}" for name in outputs if name not in known]

    def _wrong(self, piece: Examined, side: Side, regions: Regions) -> WrongPiece:
        difference = Difference(piece.point, list(piece.sources), piece.share)
        node, *also = self._bisection.nodes(difference, regions.side)
        assert piece.wrong_on is not None
        return WrongPiece(
            tensor=piece.point.name,
            node=node.name,
            operator=node.operator,
            scope=node.scope,
            line=node.line or None,
            also=[f"{each.name} ({each.operator})" for each in also],
            made_by=side.described(piece.point),
            probe=piece.wrong_on,
            share=_finite(piece.share),
            excess=_finite(piece.excess),
            reached=piece.reached,
        )


def _regions(model: onnx.ModelProto) -> Regions:
    unknown = lacking(model)
    if unknown:
        raise UnsupportedModelError(f"Ferry cannot evaluate {', '.join(unknown)} in float64")
    return Regions(model)


def _roundest(pieces: List[Examined], regions: Regions) -> Optional[Roundest]:
    ranked: List[Tuple[float, Point]] = [(each.rounding, each.point) for each in pieces if each.rounding]
    if not ranked:
        return None
    share, point = max(ranked)
    maker = regions.side.producer.get(point.name)
    return Roundest(point.name, maker.op_type if maker is not None else "", share)


def _finite(value: float) -> Optional[float]:
    return value if math.isfinite(value) else None
