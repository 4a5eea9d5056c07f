"""One verification of one quantized file: its float model, its calibration, its run, and its verdict."""

import os
import time
from typing import Any, Dict, List, NamedTuple, Optional

from rich.console import Console

from ferry import provenance
from ferry.errors import InputFileError, VerificationError
from ferry.folder_lock import WorkFolder
from ferry.model.model_source import ModelSource
from ferry.verify import judge, matched_tensors
from ferry.verify.artifact import artifact
from ferry.verify.input_source import InputSource
from ferry.verify.progress import Progress
from ferry.verify.quantized import file_record, judge_quantized
from ferry.verify.quantized.file_errors import FileErrors
from ferry.verify.quantized.file_record import FileRecord
from ferry.verify.quantized.findings import CalibrationFindings, Metric
from ferry.verify.quantized.float_worker import ReadCalibration, open_float
from ferry.verify.quantized.quantized_verdict import InFloat, QuantizedSettings, QuantizedVerdict
from ferry.verify.quantized.quantized_worker import Proof, open_quantized
from ferry.worker import Worker

FLOAT_FILE = "model.tflite"
# Where the check's own inputs give the ranges, no more of them.
MOST_CALIBRATION = 100
CHUNK = 8


class _Found(NamedTuple):
    proof: Proof
    files: Dict[str, FileErrors]
    calibration: CalibrationFindings
    metric: Optional[Metric]
    overlap: int


class QuantizedVerification:
    """The file ``model.<quant>.tflite`` in ``build`` held against the model ``source``; it writes below ``output``."""

    def __init__(
        self,
        source: ModelSource,
        build: str,
        output: str,
        settings: QuantizedSettings,
        read_calibration: ReadCalibration,
    ):
        self._started = time.monotonic()
        self._source, self._build, self._output, self._settings = source, build, output, settings
        self._model = os.path.splitext(os.path.basename(source.path))[0]
        self._provenance = provenance.provenance()
        paths = {settings.quant: f"model.{settings.quant}.tflite", "float": FLOAT_FILE}
        self._artifacts = {name: artifact(os.path.join(build, path)) for name, path in paths.items()}
        self._read_calibration = read_calibration
        self._notes: List[str] = []

    def run(self, console: Console) -> QuantizedVerdict:
        """Run the model and the two files on the same inputs.

        Raises:
            FerryError: nothing could be proved.
        """
        quant, float_file = self._artifacts[self._settings.quant], self._artifacts["float"]
        for name, file in self._artifacts.items():
            if file.sha256 is None:
                what = "make tflite" if name == "float" else f"make tflite QUANT={name}"
                raise InputFileError(f"there is no {file.path}: run `{what}`")
        record = self._record()
        workers = [
            Worker("pytorch", open_float, self._source),
            Worker(self._settings.quant, open_quantized, quant.path, float_file.path, self._settings.layout),
        ]
        folder = WorkFolder(self._output, "inputs.")
        try:
            return self._judged(record, self._measured(workers[0], workers[1], folder.path, record, console))
        finally:
            for worker in workers:
                worker.close()
            folder.remove()

    def nothing_proved(self, fault: str) -> QuantizedVerdict:
        """The verdict where ``run`` could not be done, with the reason."""
        return self._verdict(False, fault, [], None, None)

    def _record(self) -> Optional[FileRecord]:
        data = []
        for file in self._artifacts.values():
            with open(file.path, "rb") as opened:
                data.append(opened.read())
        path = os.path.join(self._build, f"model.{self._settings.quant}.json")
        record, note = file_record.read(path, data[0], data[1])
        # Of a float16 or dynamic file a record says nothing that the file does not.
        self._notes += [note] if note and self._settings.quant == "int8" else []
        return record

    def _measured(
        self, pytorch: Worker, files: Worker, folder: str, record: Optional[FileRecord], console: Console
    ) -> _Found:
        ours = pytorch.answer()
        theirs = files.answer()
        self._operators = theirs["operators"]
        for kind, word in (("inputs", "input"), ("outputs", "output")):
            for name, specs in theirs[kind].items():
                found = specs
                if name != "float" and len(specs) == len(ours[kind]):
                    # With integer inputs and outputs TensorFlow's converter names them by its own casts: order tells.
                    found = [spec._replace(name=like.name) for spec, like in zip(specs, ours[kind])]
                fault = matched_tensors.fault(found, ours[kind], word)
                if fault:
                    raise VerificationError(f"{self._artifacts[self._named(name)].path}: {fault}")
        settings = self._settings
        places = [os.path.join(folder, each) for each in ("inputs", "calibration")]
        for place in places:
            os.mkdir(place)
        onnx = os.path.join(self._build, "model.onnx")
        self._inputs = pytorch.call("prepare", settings.inputs or "", settings.samples, places[0], onnx)
        self._specs = ours["inputs"]
        given = pytorch.call("calibration", self._read_calibration, settings.calibration or "", places[1])
        with console.status("verify: the ranges"):
            calibration = self._calibrated(files, given, record)
        with console.status("verify: operator by operator"):
            chosen = record.chosen if record is not None else {}
            proof = files.call("prove", self._inputs, chosen, calibration.source != "verification")
        return self._compared(pytorch, files, proof, calibration, ours["outputs"], console)

    def _named(self, name: str) -> str:
        return "float" if name == "float" else self._settings.quant

    def _calibrated(
        self, files: Worker, given: Optional[InputSource], record: Optional[FileRecord]
    ) -> CalibrationFindings:
        """See to it that the worker has ranges: of the calibration inputs, of the record, or of the check's inputs."""
        if given is not None:
            halves = files.call("measure", given, given.count)
            held = (record.calibration or {}).get("sha256") if record is not None else None
            if held is not None and held != given.description["sha256"]:
                self._notes.append("the calibration inputs are not those that the file's record names")
            return CalibrationFindings("calibration", given.description["text"], given.count, halves)
        if record is not None and record.measured and files.call("use", record.measured):
            held = record.calibration or {}
            return CalibrationFindings("record", str(held.get("text", "its record")), held.get("count"), None)
        count = min(self._inputs.count, MOST_CALIBRATION)
        halves = files.call("measure", self._inputs, count)
        if self._settings.quant == "int8":
            self._notes.append(
                "there are no calibration inputs and no record, so that ranges are those of the check's own inputs, "
                "and clipping is a cost and no fault: give CALIBRATION="
            )
        return CalibrationFindings("verification", "the inputs of the check", count, halves)

    def _compared(
        self,
        pytorch: Worker,
        files: Worker,
        proof: Proof,
        calibration: CalibrationFindings,
        outputs: List[Any],
        console: Console,
    ) -> _Found:
        errors = {name: FileErrors(outputs) for name in ("float", self._settings.quant)}
        wants_metric, overlap = pytorch.call("take", self._inputs)["metric"], 0
        with Progress(console, [self._settings.quant]) as progress:
            progress.begin(self._inputs.count)
            for start in range(0, self._inputs.count, CHUNK):
                stop = min(start + CHUNK, self._inputs.count)
                pytorch.ask("outputs", start, stop)
                files.ask("outputs", self._inputs, start, stop)
                wanted, made = pytorch.answer(), files.answer()
                for place, (one, (known, floating, quantized)) in enumerate(zip(wanted, made)):
                    apart = not known or calibration.source != "calibration"
                    overlap += not apart
                    errors["float"].add(start + place, one, floating, apart)
                    errors[self._settings.quant].add(start + place, one, quantized, apart)
                if wants_metric:
                    pytorch.call("keep", start, wanted, [quantized for _, _, quantized in made])
                progress.advance(self._settings.quant, stop - start)
        metric = None
        if wants_metric:
            of_float, of_quantized = pytorch.call("metric")
            metric = Metric(of_float, of_quantized, of_float - of_quantized)
        return _Found(proof, errors, calibration, metric, overlap)

    def _judged(self, record: Optional[FileRecord], found: _Found) -> QuantizedVerdict:
        for name, file in self._artifacts.items():
            if artifact(file.path) != file:
                raise VerificationError(f"{file.path}, the {name} file, was replaced while it was being checked")
        proof, drop = found.proof, self._settings.accuracy_drop
        limits = judge_quantized.limits(proof.cost_inputs)
        decisions = found.files[self._settings.quant].decisions(proof.noise)
        if drop is not None and not decisions and found.metric is None:
            raise VerificationError(
                "ACCURACY_DROP= has nothing to count: no output is a row of class scores for inputs that the "
                "calibration does not have; define get_metric() in the model file, or give other INPUTS="
            )
        faults = judge_quantized.operator_faults(proof.fidelity)
        vacuous = judge_quantized.vacuous(proof.outputs)
        if vacuous is not None and not faults:
            raise VerificationError(f"this check would prove nothing: {vacuous}")
        faults += judge_quantized.cost_faults(proof.outputs, proof.fidelity, limits.cost_ratio)
        faults += judge_quantized.decision_faults(decisions, found.metric, drop)
        self._note(proof, found, limits.cost_ratio)
        self._notes += judge_quantized.float_notes(os.path.join(self._build, "report.json"), self._artifacts["float"])
        return self._verdict(not faults, None, faults, record, found)

    def _note(self, proof: Proof, found: _Found, limit: float) -> None:
        unjudged = judge_quantized.unjudged_note(proof.fidelity)
        self._notes += [unjudged] if unjudged else []
        if proof.unsimulated:
            self._notes.append(f"the scheme could not be simulated, so that cost is not judged: {proof.unsimulated}")
        if not proof.small:
            self._notes.append("nothing in this file is quantized: all of its constants are the float file's")
        if found.overlap:
            self._notes.append(
                f"{found.overlap} of the inputs are calibration inputs too: their decisions do not count"
            )
        if all(each.fault is None for each in proof.fidelity):
            self._notes += judge_quantized.cost_remarks(proof.outputs, limit)

    def _verdict(
        self,
        passed: bool,
        fault: Optional[str],
        faults: List[str],
        record: Optional[FileRecord],
        found: Optional[_Found],
    ) -> QuantizedVerdict:
        quant, proof = self._settings.quant, found.proof if found is not None else None
        return QuantizedVerdict(
            model=self._model,
            quant=quant,
            passed=passed,
            fault=fault,
            faults=faults,
            notes=self._notes if found is not None else [],
            samples=self._inputs.count if found is not None else 0,
            seconds=round(time.monotonic() - self._started, 3) if found is not None else None,
            settings=self._settings,
            limits=judge_quantized.limits(proof.cost_inputs if proof is not None else 0),
            inputs=judge.inputs_given(self._inputs, self._specs) if found is not None else None,
            calibration=found.calibration if found is not None else None,
            files={}
            if found is None
            else {
                name: errors.figures(
                    self._artifacts[name], self._operators["float" if name == "float" else "quantized"]
                )
                for name, errors in found.files.items()
            },
            fidelity=proof.fidelity if proof is not None else [],
            outputs=proof.outputs if proof is not None else [],
            operators=proof.operators if proof is not None else [],
            decisions=found.files[quant].decisions(found.proof.noise) if found is not None else [],
            metric=found.metric if found is not None else None,
            in_float=[
                InFloat(str(each.get("operator")), str(each.get("output")), str(each.get("reason")))
                for each in (record.in_float if record is not None else [])
            ],
            provenance=self._provenance,
        )
