from rich.console import Console

from ferry.model.model_source import ModelSource
from ferry.verify import float64_estimate, float64_share
from ferry.verify.coverage import input_coverage
from ferry.verify.measure import Outcome
from ferry.verify.verification import Verification


def test_what_a_share_in_float64_does_not_decide_is_measured_with_all_of_them(tmp_path, monkeypatch):
    asked = []

    def measured(self, job, console):
        asked.append(job.float64_samples)
        return Outcome(None, [], None, {}, {}, input_coverage.unknown("no reason") if job.covered else None)

    monkeypatch.setattr(Verification, "_measured", measured)
    folder = str(tmp_path)
    made = Verification(
        ModelSource("m.py"), folder, folder, None, samples=9, layout="nchw", inputs=None, tolerance=None, shown=folder
    )
    for decides in (True, False):
        monkeypatch.setattr(float64_estimate, "decides", lambda outcome, tolerance, decides=decides: decides)
        assert made.measure(Console()).coverage is not None
    assert asked == [float64_share.SAMPLES, float64_share.SAMPLES, None]
