"""The worker that runs PyTorch: in float64 for the reference, and in float32 for the rounding it has itself."""

import os
import time
from typing import Any, Dict, Iterable, List, Optional, Set, Union

import numpy as np

from ferry.errors import FerryError, VerificationError
from ferry.model.model_source import ModelSource
from ferry.runtimes.onnx_reference import OnnxReference
from ferry.runtimes.other_pytorch import OtherPytorch
from ferry.runtimes.pytorch_runtime import PytorchRuntime
from ferry.verify import (
    chunk_file,
    code_digest,
    float64_share,
    given_inputs,
    index_ranges,
    own_inputs,
    random_inputs,
    traced_share,
)
from ferry.verify.chunk_file import Chunk, NoRoom, Placed, Stored
from ferry.verify.inference_latency import Latency
from ferry.verify.input_source import InputSource, RandomInputs, StoredInputs
from ferry.verify.output_errors import OutputErrors
from ferry.verify.output_summary import OutputSummary
from ferry.verify.random_inputs import Distribution


class ReferenceWorker:
    """The model of ``source``, in the PyTorch that it is for; in ONNX Runtime where it came as ONNX."""

    def __init__(self, source: ModelSource):
        self._path = path = source.path
        self._other = OtherPytorch(source) if source.needs_other_torch else None
        if self._other is not None:
            self._model: Any = self._other
        elif path.endswith(".onnx"):
            self._model = OnnxReference(source)
        else:
            self._model = PytorchRuntime(source.path, source.weights, source.input_shape)
        self._wide: Any = None
        self._traced = False
        self._latencies = {"float32": Latency(), "float64": Latency()}

    def hello(self) -> Dict[str, Any]:
        """What the model takes and gives, digests of its weights and of the code it was made by, and its ``torch``.

        That holds the versions of another PyTorch's environment, and is ``None`` for the pinned one.
        """
        return {
            "inputs": self._model.inputs,
            "outputs": self._model.outputs,
            "weights": self._model.weights_digest(),
            "code": code_digest.of(self._path) if self._other is None else self._other.code,
            "torch": None if self._other is None else self._other.environment,
        }

    def prepare(self, given: str, limit: int, folder: str, exported: str) -> InputSource:
        """The inputs that ``given`` means, ``limit`` at most: a file, a folder, a distribution, or the model's own.

        ``exported`` is the model as ONNX, whose tables say which integers random inputs may hold.
        """
        specs = self._model.inputs
        if given and random_inputs.is_distribution(given):
            return self._random(random_inputs.parse(given), limit, exported)
        if given and not os.path.isdir(given):
            return given_inputs.from_file(given, specs, limit, folder)
        own = self._own_inputs(given, limit, folder)
        return own if own is not None else self._random(random_inputs.STANDARD_NORMAL, limit, exported)

    def _own_inputs(self, given: str, limit: int, folder: str) -> Optional[StoredInputs]:
        if self._other is None:
            return own_inputs.stored(self._path, given, self._model.inputs, limit, folder)
        held = self._other.own_inputs(given, limit, folder)
        return None if held is None else StoredInputs.from_json(held)

    def _random(self, distribution: Distribution, limit: int, exported: str) -> RandomInputs:
        examples = self._model.example_inputs
        try:
            ranges = index_ranges.of_file(exported)
            if len(ranges) != len(examples):
                ranges = []
            for end in ("lowest", "highest") if any(ranges) else ():
                arrays = [
                    example if span is None else np.full_like(example, getattr(span, end))
                    for example, span in zip(examples, ranges)
                ]
                self._outputs(self._model, arrays, 0)
        except FerryError:
            # A file that cannot be read has its own message; what the model does not bear is not drawn.
            ranges = []
        return RandomInputs([spec.name for spec in self._model.inputs], examples, distribution, limit, ranges)

    def begin(self, source: InputSource, float64_samples: Optional[int]) -> Dict[str, Any]:
        """Take the inputs, and see whether the model can be a reference at all.

        Args:
            float64_samples: how many of them are to be run in float64 too; ``None`` for all.

        Raises:
            VerificationError: the model fails, or answers the same input differently each time.
        """
        self._source = source
        arrays = source.sample(0)
        narrow, again = self._outputs(self._model, arrays, 0), self._outputs(self._model, arrays, 0)
        for spec, one, other in zip(self._model.outputs, narrow, again):
            if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
                raise VerificationError(
                    f"PyTorch's {spec.name} is another one when the same input comes again: the model draws random "
                    "numbers or keeps a state from call to call, and no conversion can be checked against it"
                )
        reason = self._widen(arrays, narrow)
        reference = narrow if self._wide is None else self._outputs(self._wide, arrays, 0)
        if self._traced:
            pairs = zip(reference, narrow)
            reference = [traced_share.believed(wide[None], like[None])[0] for wide, like in pairs]
        self._first = Chunk(reference, narrow)
        self._summaries = [OutputSummary(spec, first) for spec, first in zip(self._model.outputs, reference)]
        self._noise = [OutputErrors(spec) for spec in self._model.outputs]
        # Where there is no float64, float32 is the reference of all.
        self._taken = float64_share.positions(source.count, None if self._wide is None else float64_samples)
        return {
            "dtype": "float32" if self._wide is None else "float64",
            "reason": reason,
            "traced": self._traced,
            "bytes": sum(array.nbytes for array in (reference if reference is narrow else [*reference, *narrow])),
            "float64_samples": len(self._taken) if self._wide is not None else 0,
        }

    def first_outputs(self) -> List[np.ndarray]:
        """What the model computes in float32 of the first input, once ``begin`` has taken it."""
        return list(self._first.float32)

    def agrees(self, first: Optional[Stored]) -> bool:
        """Whether the ``first`` kept chunk begins with what the model computes today, to the bit."""
        kept = chunk_file.read(first) if first is not None else None
        if kept is None or not self._fits(kept, len(kept.reference[0]) if kept.reference else 0):
            return True  # It is computed again where it is read.
        pairs = [*zip(kept.reference, self._first.reference), *zip(kept.float32, self._first.float32)]
        return all(np.array_equal(held[0], now, equal_nan=now.dtype.kind == "f") for held, now in pairs)

    def compute(self, kept: Optional[Stored], path: str, start: int, stop: int) -> Union[Placed, NoRoom]:
        """See to it that the chunk of samples ``start`` to ``stop`` is at ``path``, and take it in.

        It is the ``kept`` one if that is what was written, and computed otherwise; what is wanted in float64 and was
        not kept so is added. Where it cannot be written nothing is taken in.
        """
        try:
            chunk = chunk_file.take(kept, path) if kept is not None else None
            fits = chunk is not None and self._fits(chunk, stop - start)
            missing = self._missing(chunk if fits else None, start, stop)
            if kept is not None and chunk is not None and fits and not missing:
                placed = Placed(Stored(path, kept.sha256), altered=False)
            else:
                chunk = self._run(start, stop, chunk if fits else None, missing)
                # Not into a file that is linked to the kept one.
                if os.path.exists(path):
                    os.unlink(path)
                altered = not fits and kept is not None and os.path.exists(kept.path)
                placed = Placed(chunk_file.write(path, chunk), altered, completed=fits)
        except OSError as error:
            return NoRoom(error.strerror or str(error))
        self._take_in(chunk, start)
        return placed

    def _fits(self, chunk: Chunk, count: int) -> bool:
        def of(samples: int, arrays: List[np.ndarray]) -> bool:
            return [array.shape for array in arrays] == [(samples, *spec.shape) for spec in self._model.outputs]

        held = count if chunk.rows is None else len(chunk.rows)
        return count > 0 and of(held, chunk.reference) and of(count, chunk.float32)

    def _missing(self, chunk: Optional[Chunk], start: int, stop: int) -> List[int]:
        """Those of the samples that are wanted in float64 and that ``chunk``, if there is one, does not hold so."""
        held: Set[int] = set()
        if chunk is not None:
            held = set(range(start, stop)) if chunk.rows is None else {start + int(row) for row in chunk.rows}
        return sorted((self._taken & set(range(start, stop))) - held)

    def _take_in(self, chunk: Chunk, start: int) -> None:
        for position, (reference, float32) in enumerate(zip(chunk.reference, chunk.float32)):
            known = reference
            if chunk.rows is not None:
                known = float32.astype(reference.dtype)
                known[chunk.rows] = reference
            self._summaries[position].add(known)
            if self._summaries[position].finite:
                self._noise[position].add(start, float32, reference, float32, chunk.rows)

    def finish(self) -> Dict[str, Any]:
        """What was gathered, one entry an output; ``noise`` is ``None`` where float64 could not be run."""
        if self._source.count == 1:
            # One output alone cannot show that it depends on the input.
            turned = [array.reshape(-1)[::-1].reshape(array.shape).copy() for array in self._source.sample(0)]
            other = self._outputs(self._model if self._wide is None else self._wide, turned, 0)
            for summary, first, second in zip(self._summaries, self._first.reference, other):
                if summary.finite:
                    summary.spread = float(np.abs(first.astype(np.float64) - second).max(initial=0.0))
        return {
            "summaries": self._summaries,
            "noise": None if self._wide is None else self._noise,
            "latencies": self._latencies,
        }

    def _run(self, start: int, stop: int, held: Optional[Chunk], missing: List[int]) -> Chunk:
        """The samples ``start`` to ``stop``: in float32, as ``held`` or anew, and those ``missing`` in float64."""
        float32 = held.float32 if held is not None else self._stacked(self._model, range(start, stop), "float32")
        if self._wide is None:
            return Chunk(float32, float32)
        made = self._stacked(self._wide, missing, "float64") if missing else self._none_in_float64()
        rows = np.array(missing, np.int64) - start
        if self._traced and missing:
            # Python may do something else on this input than on the one that was traced: the module itself decides.
            made = [traced_share.believed(wide, narrow[rows]) for wide, narrow in zip(made, float32)]
        if held is not None and held.rows is not None:
            rows = np.concatenate([held.rows, rows])
            order = np.argsort(rows)
            rows = rows[order]
            made = [np.concatenate(both)[order] for both in zip(held.reference, made)]
        return Chunk(made, float32, None if len(rows) == stop - start else rows)

    def _stacked(self, model: Any, positions: Iterable[int], timed: str) -> List[np.ndarray]:
        made = [self._outputs(model, self._source.sample(position), position, timed) for position in positions]
        return [np.stack(outputs) for outputs in zip(*made)]

    def _none_in_float64(self) -> List[np.ndarray]:
        return [np.zeros((0, *array.shape), array.dtype) for array in self._first.reference]

    def _outputs(
        self, model: Any, arrays: List[np.ndarray], position: int, timed: Optional[str] = None
    ) -> List[np.ndarray]:
        began = time.perf_counter()
        try:
            outputs: List[np.ndarray] = model.run(arrays)
        except Exception as error:
            raise VerificationError(f"PyTorch itself failed on input {position}: {error}") from error
        if timed is not None:
            self._latencies[timed].add(time.perf_counter() - began)
        for spec, output in zip(self._model.outputs, outputs):
            if output.shape != spec.shape:
                raise VerificationError(
                    f"{spec.name} has shape {list(output.shape)} on input {position} and {list(spec.shape)} on the "
                    "example: a converted model has static shapes"
                )
        return outputs

    def _widen(self, arrays: List[np.ndarray], narrow: List[np.ndarray]) -> Optional[str]:
        """Open the model in float64, by its trace if need be; why the module cannot be run in it, or nothing can."""
        reasons: List[str] = []
        for opened in (self._model.in_float64, getattr(self._model, "traced_in_float64", None)):
            if opened is None:
                continue
            try:
                wide = opened()
                outputs = wide.run(arrays)
                reason = self._unfit(outputs, narrow)
            except Exception as error:  # Whatever the user's module raises when it is asked for float64.
                reason = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
            if reason is None:
                self._wide, self._traced = wide, bool(reasons)
                break
            reasons.append(reason)
        return "; its trace: ".join(reasons) or None

    def _unfit(self, outputs: List[np.ndarray], narrow: List[np.ndarray]) -> Optional[str]:
        """Why what came in float64 is no reference for ``narrow``, which came in float32."""
        if len(outputs) != len(narrow):
            return f"it gives {len(outputs)} outputs, not {len(narrow)}"
        for spec, output, like in zip(self._model.outputs, outputs, narrow):
            if like.dtype.kind == "f" and output.dtype != np.float64:
                return f"its {spec.name} stays {output.dtype}"
            if output.shape != like.shape or (np.isfinite(like).all() and not np.isfinite(output).all()):
                return f"its {spec.name} comes out otherwise than in float32"
        return None
