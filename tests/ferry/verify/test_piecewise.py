"""What the pieces do to a verdict end to end."""

import types
from dataclasses import replace

import pytest

from ferry.errors import FaultElsewhere
from ferry.verify import piecewise
from ferry.verify.pieces import stage_pieces
from ferry.verify.pieces.stage_pieces import Choice, Roundest, StagePieces, Undecided, WrongPiece
from ferry.verify.verdict import (
    Artifact,
    Cosine,
    ErrorFigures,
    ErrorHistogram,
    LatencyFigures,
    Limits,
    OutputVerdict,
    Settings,
    StageVerdict,
    Three,
    Verdict,
)

pytestmark = pytest.mark.fast

RIGHT = StagePieces(9, 9, 0, [], 2e-6, [], Roundest("7", "GlobalAveragePool", 4e-7), None)
PIECE = WrongPiece("7", "Relu_3", "Relu", "features.1", "m.py:7", [], "RELU", "random values", 0.4, 9e5, reached=False)
WRONG = replace(RIGHT, wrong=[PIECE])


def _verdict(error, limit=2e-6, tolerance=None):
    """The verdict on a stage that is off by ``error`` of its scale where ``limit`` is allowed."""
    three, allowed = Three(error, 4 * error, 9 * error), Three(limit, 4 * limit, 25 * limit)
    fault = f"output is off by {error}" if error > limit else None
    output = OutputVerdict(
        finite=True,
        against_reference=ErrorFigures(three, three, None, 3),
        against_float32=None,
        unequal_values=1,
        cosine=Cosine(1.0, 1.0),
        psnr_db=100.0,
        top1_agreement=1.0,
        top5_agreement=1.0,
        histogram=ErrorHistogram(-9.0, 0.25, [1], 0),
        by_magnitude=[],
        passed=fault is None,
        fault=fault,
        allowed=Limits(allowed, allowed),
        over_allowed=error / limit,
        exceeded=["mean"] if fault else [],
        parts=[],
    )
    stage = StageVerdict(
        passed=fault is None,
        run=True,
        fault=fault,
        artifact=Artifact("model.tflite", 1, None),
        latency=LatencyFigures(None, 0.0),
        operators=None,
        worst_sample=None,
        worst_input="worst.npz" if fault else None,
        where=None,
        mean_abs_error=error,
        max_abs_error=error,
        noise_multiple=3.3,
        top1_agreement=1.0,
        top5_agreement=1.0,
        lowest_cosine=1.0,
        psnr_db=100.0,
        outputs={"output": output},
    )
    settings = Settings(9, "nchw", None, tolerance, 2, "cpu")
    return Verdict("m", fault is None, None, [], 9, 1.0, settings, None, None, None, None, {"tflite": stage}, {})


def _judged(verdict, pieces):
    made = piecewise.judged(verdict, {"tflite": pieces})
    return made, made.stages["tflite"]


def test_all_right_and_within_twice_the_rounding_passes_in_silence():
    made, stage = _judged(_verdict(1e-6), RIGHT)
    assert made.passed and stage.remark is None and stage.pieces.lines("tflite") == []


def test_all_right_and_above_it_passes_and_says_what_rounds_more_and_where():
    made, stage = _judged(_verdict(7e-6), RIGHT)
    assert made.passed and stage.passed and stage.fault is None and stage.worst_input is None
    assert stage.outputs["output"].passed
    assert "3.5 times what is otherwise allowed" in stage.remark
    assert "GlobalAveragePool (7)" in stage.remark


@pytest.mark.parametrize(
    "pieces",
    [
        replace(RIGHT, judged=8, unjudged=["no kernel"]),
        stage_pieces.none("the process ended"),
    ],
)
def test_above_it_fails_where_not_every_piece_was_judged(pieces):
    made, stage = _judged(_verdict(7e-6), pieces)
    assert not made.passed and stage.fault and stage.remark is None
    assert len(stage.pieces.lines("tflite")) == 1


def test_above_the_cap_fails_though_all_are_right():
    assert not _judged(_verdict(2.1e-5), RIGHT)[0].passed


@pytest.mark.parametrize(("share", "passes"), [(1e-7, True), (1.9e-5, True), (2.1e-5, False), (None, False)])
def test_a_choice_that_hangs_on_rounding_is_granted_and_what_is_left_is_judged(share, passes):
    choice = Choice("TopK_1", "TopK", "5", 3, 50, 1e-7)
    made, stage = _judged(_verdict(0.3), replace(RIGHT, undecided=Undecided([choice], {"output": share})))
    assert made.passed == passes
    if passes:
        assert "TopK_1 (TopK) chooses between values that are nearer to each other" in stage.remark
        assert "3 of 50 elements come out otherwise" in stage.remark
    assert not _judged(_verdict(0.3), replace(RIGHT, undecided=Undecided([choice], {"other": 0.0})))[0].passed


def test_a_limit_of_the_users_own_is_not_loosened():
    assert not _judged(_verdict(7e-6, tolerance=2e-6), RIGHT)[0].passed


def test_what_float32_cannot_be_relied_on_for_is_not_excused():
    assert not _judged(_verdict(1.5e-3, limit=1e-3), RIGHT)[0].passed


def test_a_wrong_piece_fails_a_stage_that_is_right_end_to_end():
    made, stage = _judged(_verdict(1e-6), WRONG)
    assert not made.passed and not stage.passed
    assert "Relu_3 (Relu) of features.1 at m.py:7 computes something else" in stage.fault
    assert "the inputs given do not reach it" in stage.fault
    assert stage.where.node == "Relu_3"
    # A bisection would look for it on inputs that do not reach it.
    assert made.first_off is None


def test_what_differs_from_a_graph_that_is_wrong_itself_is_not_blamed():
    verdict = _verdict(1e-6)
    verdict = replace(verdict, stages={"onnx": verdict.stages["tflite"], **verdict.stages})
    made = piecewise.judged(verdict, {"onnx": WRONG, "tflite": WRONG})
    assert [name for name, stage in made.stages.items() if not stage.passed] == ["onnx"]
    assert "model.onnx, which they are held against, fails" in made.stages["tflite"].pieces.lines("tflite")[0]


class _Faulty:
    """Pieces with an error of Ferry's own in them."""

    def __init__(self, source, build, layout):
        pass

    def hello(self):
        return {}

    def prove(self, stages, arrays, failing):
        raise KeyError("planted")


def test_a_fault_among_the_pieces_fails_the_whole_check(monkeypatch):
    monkeypatch.setattr(piecewise, "open_pieces", _Faulty)
    outcome = types.SimpleNamespace(worst_inputs={"tflite": []})
    with pytest.raises(FaultElsewhere, match="is a fault in Ferry.*KeyError: 'planted'"):
        piecewise._proved([["tflite"]], "m.py", "build", "nchw", outcome, [])
