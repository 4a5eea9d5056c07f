from rich.console import Console

from ferry.model.model_source import ModelSource
from ferry.verify import float64_estimate, float64_share
from ferry.verify.verification import Verification


def test_what_a_share_in_float64_does_not_decide_is_measured_with_all_of_them(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Verification, "_measured", lambda self, job, console: asked.append(job.float64_samples))
    folder = str(tmp_path)
    made = Verification(
        ModelSource("m.py"), folder, folder, None, samples=9, layout="nchw", inputs=None, tolerance=None, shown=folder
    )
    for decides in (True, False):
        monkeypatch.setattr(float64_estimate, "decides", lambda outcome, tolerance, decides=decides: decides)
        made.measure(Console())
    assert asked == [float64_share.SAMPLES, float64_share.SAMPLES, None]
