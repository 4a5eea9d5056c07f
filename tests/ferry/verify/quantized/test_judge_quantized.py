"""From findings to faults: cost, decisions, and checks that could not fail."""

import json
from dataclasses import replace

import pytest

from ferry.verify.quantized import judge_quantized
from ferry.verify.quantized.findings import Decisions, Metric, OperatorFidelity, OutputCost
from ferry.verify.verdict import Artifact

pytestmark = pytest.mark.fast

OUTPUT = OutputCost("y", 0.1, 0.2, 20.0, 18.0, 0.99, 1.05, 20.3, 18.4)
RIGHT = OperatorFidelity("a", "CONV_2D", 0, matched=True, ratio=1.0)
ALONE = OperatorFidelity("b", "IF", 1, matched=False, unjudged="IF has no float kernel")
DECISIONS = Decisions("y", 100, 97, 0.97, [0.91, 0.99], 0.1, 0, [])


def test_an_output_far_above_the_scheme_is_a_fault_and_one_a_little_above_a_remark():
    limit = judge_quantized.limits(30).cost_ratio
    assert limit == pytest.approx(1.4) and judge_quantized.limits(8).cost_ratio > 1.7
    above, far = replace(OUTPUT, ratio=2.0), replace(OUTPUT, ratio=3.0)
    assert judge_quantized.cost_faults([OUTPUT, above], [RIGHT], limit) == []
    assert len(judge_quantized.cost_remarks([OUTPUT, above], limit)) == 1
    assert len(judge_quantized.cost_faults([far], [RIGHT], limit)) == 1
    assert len(judge_quantized.cost_faults([above], [RIGHT, ALONE], limit)) == 1, "the outputs alone judge b"


def test_a_check_that_could_not_fail_is_refused():
    assert judge_quantized.vacuous([OUTPUT]) is None
    assert "-1.0 dB" in judge_quantized.vacuous([replace(OUTPUT, simulated_centred_sqnr_db=-1.0)])
    assert "same for every input" in judge_quantized.vacuous([replace(OUTPUT, simulated_centred_sqnr_db=None)])


def test_decisions_fail_below_what_is_allowed():
    assert judge_quantized.decision_faults([DECISIONS], None, None) == []
    assert judge_quantized.decision_faults([DECISIONS], None, 0.03) == []
    (fault,) = judge_quantized.decision_faults([DECISIONS], None, 0.01)
    assert "97 of 100" in fault and "91.0% to 99.0%" in fault
    assert judge_quantized.decision_faults([DECISIONS], Metric(0.9, 0.895, 0.005), 0.01) == []
    assert "drops by 0.1" in judge_quantized.decision_faults([], Metric(0.9, 0.8, 0.1), 0.01)[0]


def test_what_is_judged_by_the_outputs_alone_is_said():
    assert judge_quantized.unjudged_note([RIGHT]) is None
    assert "1 operators (IF) are judged by the outputs alone" in judge_quantized.unjudged_note([RIGHT, ALONE])


@pytest.mark.parametrize(
    ("passed", "digest", "word"), [(True, "a", None), (False, "a", "failed"), (True, "b", "not been")]
)
def test_the_float_files_own_verdict_is_said(tmp_path, passed, digest, word):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"stages": {"tflite": {"passed": passed, "artifact": {"sha256": "a"}}}}))
    notes = judge_quantized.float_notes(str(path), Artifact("model.tflite", 1, digest))
    assert notes == [] if word is None else word in notes[0]
