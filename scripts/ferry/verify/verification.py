"""One verification of one model: what goes into it, its run, and its verdict."""

import os
import time
from dataclasses import replace
from typing import Any, Dict, List, Optional

from rich.console import Console

from ferry import provenance
from ferry.errors import VerificationError
from ferry.folder_lock import WorkFolder
from ferry.model.model_source import ModelSource
from ferry.verify import float64_estimate, float64_share, judge, measure, piecewise, where_it_broke
from ferry.verify.artifact import artifact
from ferry.verify.given_file import given_file
from ferry.verify.given_file.given_file import GivenFile
from ferry.verify.measure import Job, Outcome
from ferry.verify.progress import Progress
from ferry.verify.verdict import Cause, Settings, Verdict

ARTIFACTS = {"onnx": "model.onnx", "tensorflow": "model.pb", "tflite": "model.tflite"}


class Verification:
    """The files in ``build`` held against the model ``source``.

    Args:
        build: the folder with ``model.onnx``, ``model.pb`` and ``model.tflite``, and the ``references`` of an earlier
            verification. It is only read.
        output: the folder below which all is written.
        shown: the folder in which that will be found in the end: what the verdict names.
        device: the GPU that TensorFlow runs on; ``None`` for the CPU.
        samples: how many inputs to compare, at most.
        layout: what the last two files were built with, ``nchw`` or ``nhwc``.
        inputs: the user's ``INPUTS=``.
        tolerance: the user's own limit, as a share of an output's scale.
        given: a ``.tflite`` that Ferry did not make, which is judged in the place of the three.
        torch_lock: what another PyTorch than the pinned one was installed from; empty where that is not known.
    """

    def __init__(
        self,
        source: ModelSource,
        build: str,
        output: str,
        device: Any,
        *,
        samples: int,
        layout: str,
        inputs: Optional[str],
        tolerance: Optional[float],
        shown: str,
        given: Optional[GivenFile] = None,
        torch_lock: str = "",
    ):
        self._started = time.monotonic()
        self._source, self._build, self._output, self._device = source, build, output, device
        self._shown, self._torch_lock = shown, torch_lock
        self._model = os.path.splitext(os.path.basename(source.path))[0]
        self._settings = Settings(
            samples=samples,
            layout=layout,
            inputs=inputs,
            tolerance=tolerance,
            processors=len(os.sched_getaffinity(0)),
            device=device.name if device else "cpu",
        )
        self._provenance = provenance.provenance()
        self._given = given
        self._given_notes: List[str] = []
        self._opening: Optional[given_file.Opening] = None
        paths = {name: os.path.join(build, file) for name, file in ARTIFACTS.items()}
        if given is not None:
            paths = {"tflite": given.path}
        self._artifacts = {name: artifact(path) for name, path in paths.items()}

    def measure(self, console: Console) -> Outcome:
        """Run the model and its files on the same inputs; ``console`` shows how far that is.

        Raises:
            FerryError: nothing could be proved.
        """
        settings = self._settings
        job = measure.Job(
            model=self._source,
            artifacts={name: file.path for name, file in self._artifacts.items()},
            options=self._options(),
            kept=os.path.join(self._build, "references"),
            output=self._output,
            samples=settings.samples,
            given=settings.inputs or "",
            tolerance=settings.tolerance,
            key={"lock": self._provenance["lock_sha256"]},
            processors=settings.processors,
            float64_samples=float64_share.SAMPLES,
            covered=True,
        )
        outcome = self._measured(job, console)
        if not float64_estimate.decides(outcome, settings.tolerance):
            whole = self._measured(job._replace(float64_samples=None, covered=False), console)
            outcome = whole._replace(coverage=outcome.coverage)
        for file in self._artifacts.values():
            if artifact(file.path) != file:
                raise VerificationError(f"{file.path} was replaced while it was being checked; run the check again")
        if outcome.torch is not None:
            self._provenance["torch"] = provenance.of_torch(outcome.torch, self._torch_lock)
        return outcome

    def _options(self) -> Dict[str, Dict[str, Any]]:
        """What the runtime of each stage is opened with."""
        layout = self._settings.layout
        if self._given is None:
            return {"tensorflow": {"on": self._device, "layout": layout}, "tflite": {"layout": layout}}
        folder = WorkFolder(self._output, "inputs.")
        try:
            found = given_file.matched(self._source, self._given, self._settings.inputs or "", folder.path)
        finally:
            folder.remove()
        self._given_notes, self._opening = found.notes, found.opening
        return {"tflite": {"given": found.opening}}

    def _measured(self, job: Job, console: Console) -> Outcome:
        with Progress(console, [measure.REFERENCE, *self._artifacts]) as progress:
            return measure.Measurement(job, progress.begin, progress.advance).run()

    def judge(self, outcome: Outcome, last_report: str) -> Verdict:
        """The verdict on what was measured; ``last_report`` is where the one before it is, if there is one."""
        seconds = time.monotonic() - self._started
        return judge.verdict(
            self._model,
            self._settings,
            seconds,
            outcome,
            self._artifacts,
            self._provenance,
            self._notes(outcome, last_report),
            self._shown,
        )

    def judge_pieces(self, verdict: Verdict, outcome: Outcome, console: Console) -> Verdict:
        """``verdict`` with what comes of every piece of the stages alone."""
        with console.status("verify: piece by piece"):
            failing = [name for name, stage in verdict.stages.items() if stage.run and not stage.passed]
            found = piecewise.prove(self._source, self._build, self._settings.layout, outcome, failing)
        seconds = time.monotonic() - self._started
        return replace(piecewise.judged(verdict, found), seconds=round(seconds, 3))

    def where_the_given_file_differs(self, outcome: Outcome) -> Cause:
        """The first tensor of the given file that differs, on its worst input; only once ``measure`` has run."""
        assert self._given is not None and self._opening is not None
        return where_it_broke.of_given(self._source, self._given.path, self._opening, outcome.worst_inputs["tflite"])

    def nothing_proved(self, fault: str) -> Verdict:
        """The verdict where ``measure`` could not be done, with the reason."""
        return judge.of_nothing(self._model, self._settings, fault, self._provenance)

    def _notes(self, outcome: Outcome, last_report: str) -> List[str]:
        notes = [
            f"{name}: {os.path.basename(self._artifacts[name].path)} is not the file that was checked last"
            for name in judge.replaced_since(last_report, outcome.reference.key, self._artifacts)
        ]
        if self._source.path.endswith(".onnx"):
            notes.append(
                "the model came as ONNX: PyTorch here stands for ONNX Runtime, and in float64 for Ferry's own evaluator"
            )
        if outcome.torch is not None:
            notes.append(_of_another_torch(outcome.torch, self._torch_lock))
        return [*self._given_notes, *notes]


def _of_another_torch(versions: Dict[str, str], lock: str) -> str:
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    whose = f"installed from {lock}" if lock else f"an environment of yours, whose versions are not locked ({named})"
    return (
        f"the reference is PyTorch {versions['torch']}, {whose}: model.onnx is held against it end to end, and the "
        "pieces of all stages against the exported graph in float64"
    )
