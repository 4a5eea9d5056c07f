"""Run PyTorch and every stage on the same inputs, as many at a time as there are processors, and gather what came."""

import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set

import numpy as np

from ferry.errors import FerryError, VerificationError
from ferry.folder_lock import WorkFolder
from ferry.model.model_source import ModelSource
from ferry.runtimes import TensorSpec
from ferry.verify import criterion, matched_tensors, reference_store, vacuity, worker
from ferry.verify.inference_latency import Latency
from ferry.verify.input_source import InputSource
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary
from ferry.verify.reference_store import ReferenceStore
from ferry.verify.stage_worker import StageWorker
from ferry.verify.worker import Worker

# A process is handed a chunk at a time: few enough samples to share the work out evenly at the end.
CHUNK_SAMPLES, CHUNK_BYTES = 16, 16 << 20
# Another process for PyTorch takes seconds to open the model: it must have this many samples of its own to run.
SAMPLES_A_WORKER = 100
REFERENCE = "pytorch"


class Job(NamedTuple):
    """What is to be compared.

    ``artifacts`` maps a stage to its file, ``options`` to what its runtime is opened with. ``given`` is the user's
    ``INPUTS=`` or empty, ``tolerance`` the user's own. ``key`` holds what the reference depends on that is not in the
    model. At most ``processors`` inferences run at a time, each on one thread. All that is written is below ``output``.
    """

    model: ModelSource
    artifacts: Dict[str, str]
    options: Dict[str, Dict[str, Any]]
    output: str
    samples: int
    given: str
    tolerance: Optional[float]
    key: Dict[str, Any]
    processors: int


class StageOutcome(NamedTuple):
    """What came of one stage. Where it could not be run, ``fault`` says why and ``errors`` is ``None``."""

    fault: Optional[str]
    errors: Optional[List[OutputErrors]]
    latency: Latency
    details: Dict[str, Any]


class ReferenceOutcome(NamedTuple):
    """What came of PyTorch; the lists hold one entry an output. ``reason`` is why it is not in float64."""

    summaries: List[OutputSummary]
    noise: Optional[List[OutputErrors]]
    dtype: str
    reason: Optional[str]
    key: str
    kept: bool
    reused: bool
    latencies: Dict[str, Any]


class Outcome(NamedTuple):
    """What came of all. ``worst_inputs`` holds, of each stage that ran, the sample on which it is worst."""

    source: InputSource
    inputs: List[TensorSpec]
    reference: ReferenceOutcome
    stages: Dict[str, StageOutcome]
    worst_inputs: Dict[str, List[np.ndarray]]


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
        self._ready: Set[int] = set()
        self._next, self._dropped = 0, 0
        self._reference: Optional[ReferenceOutcome] = None

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
            assert self._reference is not None
            stages = {name: _outcome(member) for name, member in self._stages.items()}
            return Outcome(self._source, self._hello["inputs"], self._reference, stages, self._worst_inputs(stages))
        finally:
            for member in [*self._references, *self._stages.values()]:
                member.worker.close()
            if self._store is not None:
                self._store.discard()
            if self._inputs_folder is not None:
                self._inputs_folder.remove()

    def _worst_inputs(self, stages: Dict[str, StageOutcome]) -> Dict[str, List[np.ndarray]]:
        assert self._reference is not None
        found = {}
        for name, stage in stages.items():
            worst = criterion.worst_output(self._reference.summaries, stage.errors)
            if worst is not None:
                found[name] = self._source.sample(worst.reference.worst_sample)
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
        self._source: InputSource = first.worker.call("prepare", job.given, job.samples, self._inputs_folder.path)
        self._probe: Dict[str, Any] = first.worker.call("begin", self._source)
        first.step = "begin"
        count, each = self._source.count, max(self._probe["bytes"], 1)
        size = max(1, min(CHUNK_SAMPLES, CHUNK_BYTES // each, count))
        self._chunks = [(start, min(start + size, count)) for start in range(0, count, size)]

    def _find_references(self) -> None:
        job, first, count = self._job, self._references[0], self._source.count
        key = reference_store.key_of(
            {
                **job.key,
                "weights": self._hello["weights"],
                "code": self._hello["code"],
                "inputs": self._source.description,
                "samples": count,
                "chunk": self._chunks[0][1],
                "dtype": self._probe["dtype"],
            }
        )
        self._store = ReferenceStore(os.path.join(job.output, "references"), key)
        self._key, self._note = key, self._store.find()
        self._reused = self._note is not None and first.worker.call("agrees", self._store.working)
        self._kept = self._reused or self._store.room_for(self._probe["bytes"] * count)
        self._begun(count)
        if not self._reused:
            self._store.begin()
            for _ in range(min(job.processors, count // SAMPLES_A_WORKER) - 1):
                self._references.append(_Member(Worker(REFERENCE, open_reference, job.model)))

    def _live(self) -> List[_Member]:
        return [member for member in [*self._references, *self._stages.values()] if member.step != "end"]

    def _stages_left(self) -> List[_Member]:
        return [member for member in self._stages.values() if member.step not in ("end", "finish")]

    def _dispatch(self) -> None:
        """Give those that wait a chunk each, while there are processors for them; PyTorch comes first."""
        assert self._store is not None
        free = self._job.processors - sum(each.worker.busy and each.step == "compute" for each in self._live())
        for member in self._references:
            if member.waits and not self._reference_is_wanted():
                member.ask("finish")
            elif member.waits and free > 0 and self._has_room():
                member.chunk = self._next
                self._next += 1
                member.ask("compute", self._store.working, *self._chunks[member.chunk])
                free -= 1
        for member in sorted(self._stages_left(), key=lambda member: member.chunk):
            if member.waits and member.chunk + 1 == len(self._chunks):
                member.ask("finish")
            elif member.waits and free > 0 and member.chunk + 1 in self._ready:
                member.chunk += 1
                member.ask("compute", self._store.working, *self._chunks[member.chunk])
                free -= 1

    def _reference_is_wanted(self) -> bool:
        return self._next < len(self._chunks) and any(member.fault is None for member in self._stages.values())

    def _has_room(self) -> bool:
        if self._kept:
            return True
        waiting = self._next - 1 - min((member.chunk for member in self._stages_left()), default=self._next)
        bytes_waiting = waiting * self._probe["bytes"] * self._chunks[0][1]
        return waiting < self._job.processors or bytes_waiting < reference_store.IN_FLIGHT_BYTES

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
            member.ask("begin", self._source)
        elif member.step == "compute":
            self._ready.add(member.chunk)
            start, stop = self._chunks[member.chunk]
            self._advance(REFERENCE, stop - start)
        elif member.step == "finish":
            member.result = answer
            member.end()
            if all(each.step == "end" for each in self._references):
                self._finish_reference()

    def _finish_reference(self) -> None:
        assert self._store is not None
        gathered = [member.result for member in self._references if member.result is not None]
        first, whole = gathered[0], len(self._ready) == len(self._chunks)
        for other in gathered[1:]:
            for name in ("summaries", "noise"):
                for ours, theirs in zip(first[name] or [], other[name] or []):
                    ours.merge(theirs)
            for name, latency in first["latencies"].items():
                latency.merge(other["latencies"][name])
        latencies = {
            name: {"milliseconds": latency.milliseconds(), "seconds": latency.seconds}
            for name, latency in first["latencies"].items()
        }
        if self._note is not None and self._reused:
            latencies = self._note["latencies"]
        if whole:
            reason = vacuity.reason(first["summaries"], first["noise"], self._job.tolerance)
            if reason:
                raise VerificationError(f"this check would prove nothing: {reason}")
        if whole and self._kept and not self._reused:
            self._store.commit({"latencies": latencies})
        self._reference = ReferenceOutcome(
            first["summaries"],
            first["noise"],
            self._probe["dtype"],
            self._probe["reason"],
            self._key,
            whole and self._kept,
            self._reused,
            latencies,
        )

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
            start, stop = self._chunks[member.chunk]
            self._advance(name, stop - start)
            self._drop_chunks()
        elif member.step == "finish":
            member.result = answer
            member.end()

    def _drop_chunks(self) -> None:
        if self._kept:
            return
        assert self._store is not None
        # A stage that is at work on a chunk has yet to read it.
        done = min((member.chunk - member.worker.busy for member in self._stages_left()), default=self._next - 1)
        for chunk in range(self._dropped, done + 1):
            path = reference_store.path_of(self._store.working, self._chunks[chunk][0])
            if os.path.exists(path):
                os.unlink(path)
        self._dropped = max(self._dropped, done + 1)


def _outcome(member: _Member) -> StageOutcome:
    if member.result is None:
        return StageOutcome(member.fault or "it was not run", None, Latency(), member.details)
    return StageOutcome(None, member.result["errors"], member.result["latency"], member.details)
