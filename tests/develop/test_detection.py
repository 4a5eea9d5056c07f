"""The page on verification as a detector says what came of the trials."""

import pytest

from develop.detection import detection_table
from develop.detection.detection_table import Correct
from develop.detection.planted import Trial, judged
from ferry.verify.pieces import stage_pieces
from ferry.verify.pieces.stage_pieces import StagePieces, WrongPiece

CAUGHT = Trial("mlp", "onnx", "one weight zero", True, False, 0.02, None)
SMALL = Trial("mlp", "tflite", "one weight zero", False, False, 3e-6, None)
MISSED = Trial("unet", "tflite", "a clamp to 3", False, False, 2e-4, None)


def test_what_may_be_off_by_more_than_the_limit_is_missed():
    assert detection_table.misses([CAUGHT, SMALL, MISSED]) == [MISSED]


def test_a_stage_whose_pieces_could_not_be_judged_is_missed_with_the_reason():
    trial = judged("mlp", "onnx", "one weight zero", stage_pieces.none("there is no memory"))
    assert detection_table.misses([trial]) == [trial]
    assert trial.why == "there is no memory"


@pytest.mark.parametrize(("shares", "worst"), [([1e-3, 0.5], 0.5), ([1e-3, None], None)])
def test_a_fault_is_as_large_as_its_worst_piece(shares, worst):
    pieces = [WrongPiece("t", "n", "Conv", "", None, [], "", "probe", share, 3.0, share == 0.5) for share in shares]
    trial = judged("mlp", "onnx", "zero", StagePieces(2, 2, 0, [], 1e-7, pieces, None, None))
    assert (trial.caught, trial.share, trial.reached) == (True, worst, 0.5 in shares)


def test_the_page_has_a_row_a_network_and_a_kind():
    page = detection_table.as_markdown([Correct("mlp", 6, 0)], "thrice", [CAUGHT, SMALL, MISSED])
    assert "0 of 6 verifications failed" in page
    assert "| one weight zero | 2 | 1 | 1 | 2.0e-02 | 0 |" in page
    assert "1 of 3 caught, 1 missed" in page
    assert "Missed: a clamp to 3 in the tflite stage of unet" in page
