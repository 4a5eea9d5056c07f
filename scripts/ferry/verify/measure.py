"""Run PyTorch and every stage on the same inputs, as many at a time as there are processors, and gather what came."""

import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import numpy as np

from ferry import worker
from ferry.errors import FerryError, VerificationError
from ferry.folder_lock import WorkFolder
from ferry.model.model_source import ModelSource
from ferry.runtimes import TensorSpec
from ferry.verify import criterion, matched_tensors, reference_store, vacuity
from ferry.verify.coverage import input_coverage
from ferry.verify.coverage.input_coverage import InputCoverage
from ferry.verify.inference_latency import Latency
from ferry.verify.input_source import InputSource
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary
from ferry.verify.reference_chunks import ReferenceChunks, noted_float64_samples, noted_latencies
from ferry.verify.reference_store import ReferenceStore
from ferry.verify.stage_worker import StageWorker
from ferry.verify.verdict import LatencyFigures
from ferry.worker import Worker

# A process is handed a chunk at a time: few enough samples to share the work out evenly at the end.
CHUNK_SAMPLES, CHUNK_BYTES = 16, 16 << 20
# Another process for PyTorch takes seconds to open the model: it must have this many samples of its own to run.
SAMPLES_A_WORKER = 100
REFERENCE = "pytorch"


class Job(NamedTuple):
    """What is to be compared.

    ``artifacts`` maps a stage to its file, ``options`` to what its runtime is opened with. ``given`` is the user's
    ``INPUTS=`` or empty, ``tolerance`` the user's own. ``key`` holds what the reference depends on that is not in the
    model. At most ``processors`` inferences run at a time, each on one thread. References of an earlier check are in
    the folder ``kept``; all that is written is below ``output``. PyTorch runs ``float64_samples`` of the samples in
    float64 too, all of them where that is ``None``. ``covered`` is whether to observe what the inputs reach.
    """

    model: ModelSource
    artifacts: Dict[str, str]
    options: Dict[str, Dict[str, Any]]
    kept: str
    output: str
    samples: int
    given: str
    tolerance: Optional[float]
    key: Dict[str, Any]
    processors: int
    float64_samples: Optional[int] = None
    covered: bool = False


class StageOutcome(NamedTuple):
    """What came of one stage. Where it could not be run, ``fault`` says why and ``errors`` is ``None``."""

    fault: Optional[str]
    errors: Optional[List[OutputErrors]]
    latency: Latency
    details: Dict[str, Any]


class ReferenceOutcome(NamedTuple):
    """What came of PyTorch; the lists hold one entry an output.

    ``reason`` is why it is not in float64, or why its trace is (``traced``) and not the module itself. ``unkept`` is
    why the next check will not find it kept. ``remade`` counts the inputs whose kept reference had been altered,
    ``float64_samples`` those that were run in float64.
    """

    summaries: List[OutputSummary]
    noise: Optional[List[OutputErrors]]
    dtype: str
    reason: Optional[str]
    key: str
    kept: bool
    unkept: Optional[str]
    reused: bool
    remade: int
    float64_samples: int
    traced: bool
    latencies: Dict[str, LatencyFigures]


class Outcome(NamedTuple):
    """What came of all. ``worst_inputs`` holds, of each stage that ran, the sample on which it is worst.

    ``coverage`` is what the inputs reach of the ONNX model, ``None`` where that was not asked for. ``torch`` holds the
    versions of the environment of another PyTorch than the pinned one, where that ran the model.
    """

    source: InputSource
    inputs: List[TensorSpec]
    reference: ReferenceOutcome
    stages: Dict[str, StageOutcome]
    worst_inputs: Dict[str, List[np.ndarray]]
    coverage: Optional[InputCoverage] = None
    torch: Optional[Dict[str, str]] = None


def open_coverage(path: str) -> Any:
    """What a worker calls to observe what the inputs reach of the ONNX model in ``path``."""
    from ferry.verify.coverage.coverage_worker import CoverageWorker

    return CoverageWorker(path)


def open_reference(model: ModelSource) -> Any:
    """What a worker calls to open PyTorch, which the program that asks has no need of itself."""
    from ferry.verify.reference_worker import ReferenceWorker

    return ReferenceWorker(model)


class _Member:
    """A worker, and how far it has come: ``step`` is what it was asked last, ``chunk`` the one it is or was on."""

    def __init__(self, opened: Worker):
        self.worker, self.step, self.chunk = opened, "hello", -1
        self.details: Dict[str, Any] = {}
        self.result: Optional[Dict[str, Any]] = None
        self.fault: Optional[str] = None

    def ask(self, step: str, *arguments: Any) -> None:
        self.step = step
        self.worker.ask(step, *arguments)

    @property
    def waits(self) -> bool:
        """Whether it could be given a chunk."""
        return not self.worker.busy and self.step in ("begin", "compute")

    def end(self, fault: Optional[str] = None) -> None:
        self.step, self.fault = "end", fault
        self.worker.close()


class Measurement:
    """One run of a ``Job``. ``begun`` is told how many samples there are, ``advance`` who got on and by how many."""

    def __init__(self, job: Job, begun: Callable[[int], None], advance: Callable[[str, int], None]):
        self._job, self._begun, self._advance = job, begun, advance
        self._references: List[_Member] = []
        self._stages: Dict[str, _Member] = {}
        self._store: Optional[ReferenceStore] = None
        self._inputs_folder: Optional[WorkFolder] = None
        self._coverage: Optional[Worker] = None

    def run(self) -> Outcome:
        """Do it.

        Raises:
            VerificationError: the reference failed, or its outputs are such that nothing can be proved by them.
            ModelFileError: the model file breaks its contract.
        """
        try:
            self._open()
            self._find_references()
            while self._live():
                self._dispatch()
                for answered in worker.wait([member.worker for member in self._live() if member.worker.busy]):
                    self._take(answered)
            reference = self._reference_outcome()
            stages = {name: _outcome(member) for name, member in self._stages.items()}
            worst = self._worst_inputs(reference, stages)
            covered, torch = self._covered(), self._hello["torch"]
            return Outcome(self._source, self._hello["inputs"], reference, stages, worst, covered, torch)
        finally:
            if self._coverage is not None:
                self._coverage.close()
            for member in [*self._references, *self._stages.values()]:
                member.worker.close()
            if self._store is not None:
                self._store.discard()
            if self._inputs_folder is not None:
                self._inputs_folder.remove()

    def _worst_inputs(
        self, reference: ReferenceOutcome, stages: Dict[str, StageOutcome]
    ) -> Dict[str, List[np.ndarray]]:
        found = {}
        for name, stage in stages.items():
            worst = criterion.worst_output(reference.summaries, stage.errors)
            if worst is not None:
                found[name] = self._source.sample(worst.known.worst_sample)
        return found

    def _open(self) -> None:
        job = self._job
        first = _Member(Worker(REFERENCE, open_reference, job.model))
        self._references.append(first)
        for name, path in job.artifacts.items():
            self._stages[name] = _Member(Worker(name, StageWorker, name, path, job.options.get(name, {})))
        self._hello = first.worker.answer()
        # One of its own: another check of the same model may be at work.
        self._inputs_folder = WorkFolder(job.output, "inputs.")
        self._source: InputSource = first.worker.call(
            "prepare", job.given, job.samples, self._inputs_folder.path, job.artifacts.get("onnx", "")
        )
        self._probe: Dict[str, Any] = first.worker.call("begin", self._source, job.float64_samples)
        first.step = "begin"
        count, each = self._source.count, max(self._probe["bytes"], 1)
        self._chunk_samples = max(1, min(CHUNK_SAMPLES, CHUNK_BYTES // each, count))

    def _covered(self) -> Optional[InputCoverage]:
        """Where the inputs are still there, and while one processor would have nothing left to do."""
        path = self._job.artifacts.get("onnx")
        if path is None or not self._job.covered:
            return None
        self._coverage = Worker("coverage of the inputs", open_coverage, path)
        try:
            self._coverage.answer()
            found: InputCoverage = self._coverage.call("cover", self._source)
        except FerryError as error:
            return input_coverage.unknown(str(error))
        return found

    def _find_references(self) -> None:
        job, first, count = self._job, self._references[0], self._source.count
        key = reference_store.key_of(
            {
                **job.key,
                "weights": self._hello["weights"],
                "code": self._hello["code"],
                "torch": self._hello["torch"],
                "inputs": self._source.description,
                "samples": count,
                "chunk": self._chunk_samples,
                "dtype": self._probe["dtype"],
            }
        )
        self._store = ReferenceStore(job.kept, os.path.join(job.output, "references"), key)
        self._key, self._held = key, self._store.find()
        if self._held is not None and not first.worker.call("agrees", self._store.stored(0)):
            self._store.forget()
            self._held = None
        self._store.begin(self._probe["bytes"] * count)
        size = self._chunk_samples
        spans = [(start, min(start + size, count)) for start in range(0, count, size)]
        self._chunks = ReferenceChunks(self._store, spans, self._probe["bytes"], job.processors)
        self._begun(count)
        if self._held is None or noted_float64_samples(self._held.note) < self._probe["float64_samples"]:
            for _ in range(min(job.processors, count // SAMPLES_A_WORKER) - 1):
                self._references.append(_Member(Worker(REFERENCE, open_reference, job.model)))

    def _live(self) -> List[_Member]:
        return [member for member in [*self._references, *self._stages.values()] if member.step != "end"]

    def _stages_left(self) -> List[_Member]:
        return [member for member in self._stages.values() if member.step not in ("end", "finish")]

    def _dispatch(self) -> None:
        """Give those that wait a chunk each, while there are processors for them; PyTorch comes first."""
        free = self._job.processors - sum(each.worker.busy and each.step == "compute" for each in self._live())
        for member in self._references:
            if member.waits and not self._reference_is_wanted():
                member.ask("finish")
            elif member.waits and free > 0 and self._chunks.has_room(self._slowest()):
                member.chunk = self._chunks.take_next()
                member.ask("compute", *self._chunks.to_compute(member.chunk))
                free -= 1
        for member in sorted(self._stages_left(), key=lambda member: member.chunk):
            if member.waits and member.chunk + 1 == len(self._chunks):
                member.ask("finish")
            elif member.waits and free > 0 and self._chunks.ready(member.chunk + 1):
                member.chunk += 1
                member.ask("compute", *self._chunks.to_compare(member.chunk))
                free -= 1

    def _reference_is_wanted(self) -> bool:
        return self._chunks.left and any(member.fault is None for member in self._stages.values())

    def _slowest(self) -> Optional[int]:
        return min((member.chunk for member in self._stages_left()), default=None)

    def _take(self, answered: Worker) -> None:
        for member in self._references:
            if member.worker is answered:
                self._take_reference(member)
        for name, member in self._stages.items():
            if member.worker is answered:
                try:
                    self._take_stage(name, member)
                except FerryError as error:
                    member.end(str(error))

    def _take_reference(self, member: _Member) -> None:
        try:
            answer = member.worker.answer()
        except VerificationError as error:
            raise VerificationError(str(error)) from error.__cause__
        if member.step == "hello":
            if answer["weights"] != self._hello["weights"]:
                raise VerificationError(
                    "the model has other weights each time it is loaded; load them from a file, or seed what draws them"
                )
            member.ask("begin", self._source, self._job.float64_samples)
        elif member.step == "compute":
            if self._chunks.place(member.chunk, answer):
                self._advance(REFERENCE, self._chunks.samples_in(member.chunk))
            else:
                member.ask("compute", *self._chunks.to_compute(member.chunk))
        elif member.step == "finish":
            member.result = answer
            member.end()
            if all(each.step == "end" for each in self._references):
                self._merge_references()

    def _merge_references(self) -> None:
        """Gather what each process for PyTorch has seen, and refuse to go on where nothing can be proved by it."""
        gathered = [member.result for member in self._references if member.result is not None]
        self._gathered = gathered[0]
        for other in gathered[1:]:
            for name in ("summaries", "noise"):
                for ours, theirs in zip(self._gathered[name] or [], other[name] or []):
                    ours.merge(theirs)
            for name, latency in self._gathered["latencies"].items():
                latency.merge(other["latencies"][name])
        if self._chunks.whole:
            reason = vacuity.reason(self._gathered["summaries"], self._gathered["noise"], self._job.tolerance)
            if reason:
                raise VerificationError(f"this check would prove nothing: {reason}")

    def _reference_outcome(self) -> ReferenceOutcome:
        """What came of PyTorch, once all stages have read it: only then may its files get another name."""
        assert self._store is not None
        latencies = {name: latency.figures() for name, latency in self._gathered["latencies"].items()}
        if self._held is not None:
            latencies = noted_latencies(self._held.note)
        reused, remade = self._held is not None, self._chunks.remade
        still_kept = reused and not remade and not self._chunks.completed
        if self._chunks.whole and self._store.unkept is None and not still_kept:
            self._chunks.keep(latencies, self._probe["float64_samples"])
        unkept = None if still_kept else self._store.unkept
        return ReferenceOutcome(
            self._gathered["summaries"],
            self._gathered["noise"],
            self._probe["dtype"],
            self._probe["reason"],
            self._key,
            still_kept or (self._chunks.whole and unkept is None),
            unkept,
            reused,
            remade,
            self._float64_samples(),
            self._probe["traced"],
            latencies,
        )

    def _float64_samples(self) -> int:
        # What was kept may hold more than was asked for.
        noise = self._gathered["noise"]
        return 0 if noise is None else max((errors.from_reference.samples for errors in noise), default=0)

    def _take_stage(self, name: str, member: _Member) -> None:
        answer = member.worker.answer()
        if member.step == "hello":
            member.details = answer["details"]
            fault = matched_tensors.fault(answer["inputs"], self._hello["inputs"], "input")
            fault = fault or matched_tensors.fault(answer["outputs"], self._hello["outputs"], "output")
            if fault:
                member.end(fault)
            else:
                member.ask("begin", self._source, self._hello["outputs"])
        elif member.step == "compute":
            self._advance(name, self._chunks.samples_in(member.chunk))
            self._drop_chunks()
        elif member.step == "finish":
            member.result = answer
            member.end()

    def _drop_chunks(self) -> None:
        # A stage that is at work on a chunk has yet to read it.
        self._chunks.drop(min((member.chunk - member.worker.busy for member in self._stages_left()), default=None))


def _outcome(member: _Member) -> StageOutcome:
    if member.result is None:
        return StageOutcome(member.fault or "it was not run", None, Latency(), member.details)
    return StageOutcome(None, member.result["errors"], member.result["latency"], member.details)
