"""Run every runtime on the same inputs and gather what the report needs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ferry.errors import FerryError, VerificationError
from ferry.runtimes import Runtime
from ferry.verification import criterion
from ferry.verification.errors_against import Errors, Reference
from ferry.verification.inputs import random_inputs


class Stage(NamedTuple):
    """One runtime's verdict. ``errors`` is ``None`` where it could not be run at all; ``fault`` is then why."""

    errors: Optional[Errors]
    fault: Optional[str]


def measure(
    reference: Runtime,
    openers: Dict[str, Callable[[], Runtime]],
    examples: List[np.ndarray],
    samples: int,
    allowed: List[criterion.Tolerance],
    advance: Callable[[], None],
    workers: int,
) -> Tuple[Reference, Dict[str, Stage]]:
    """Compare each runtime that ``openers`` opens with ``reference`` on ``samples`` inputs shaped like ``examples``.

    ``allowed`` holds one tolerance an output. ``advance`` is called after each sample. ``workers`` inferences run at a
    time, each on one thread.

    Raises:
        VerificationError: the reference itself failed, or its outputs are such that nothing can be proved by them.
    """
    faults: Dict[str, str] = {}
    runtimes: Dict[str, Runtime] = {}
    for name, opener in openers.items():
        try:
            runtime = opener()
            fault = criterion.interface_fault(runtime.inputs, reference.inputs, "input")
            fault = fault or criterion.interface_fault(runtime.outputs, reference.outputs, "output")
        except FerryError as error:
            fault = str(error)
        if fault:
            faults[name] = fault
        else:
            runtimes[name] = runtime

    _refuse_chance(reference, examples)
    summary = Reference(reference.outputs)
    errors = {name: Errors(summary) for name in runtimes}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for position in range(samples):
            arrays = random_inputs(position, examples)
            running = {name: pool.submit(runtime.run, arrays) for name, runtime in runtimes.items()}
            expected = _reference_outputs(reference, arrays, position)
            summary.add(expected)
            for name, future in running.items():
                fault = _take(future.result, expected, errors[name], reference)
                if fault:
                    faults[name] = f"at input {position}: {fault}"
                    del runtimes[name]
            advance()
    if samples == 1:
        # One output alone cannot show that it depends on the input.
        summary.add(_reference_outputs(reference, random_inputs(1, examples), 1))
    reason = criterion.vacuous(summary, allowed)
    if reason:
        raise VerificationError(f"this check would prove nothing: {reason}")
    stages = {}
    for name in openers:
        if name in faults:
            stages[name] = Stage(None, faults[name])
        else:
            stages[name] = Stage(errors[name], criterion.value_fault(errors[name], summary, allowed))
    return summary, stages


def _refuse_chance(reference: Runtime, examples: List[np.ndarray]) -> None:
    first, second = (_reference_outputs(reference, random_inputs(0, examples), 0) for _ in range(2))
    for spec, one, other in zip(reference.outputs, first, second):
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            raise VerificationError(
                f"PyTorch's {spec.name} is another one when the same input comes again: the model draws random numbers "
                "or keeps a state from call to call, and no conversion can be checked against it"
            )


def _reference_outputs(reference: Runtime, arrays: List[np.ndarray], position: int) -> List[np.ndarray]:
    try:
        outputs = reference.run(arrays)
    except Exception as error:
        raise VerificationError(f"PyTorch itself failed on input {position}: {error}") from error
    for spec, output in zip(reference.outputs, outputs):
        if output.shape != spec.shape:
            raise VerificationError(
                f"{spec.name} has shape {list(output.shape)} on input {position} and {list(spec.shape)} on the "
                "example: a converted model has static shapes"
            )
    return outputs


def _take(
    result: Callable[[], List[np.ndarray]], expected: List[np.ndarray], errors: Errors, reference: Runtime
) -> Optional[str]:
    try:
        outputs = result()
    except Exception as error:  # Each runtime raises types of its own.
        reason = str(error).strip().splitlines()
        return f"the runtime failed: {reason[0] if reason else type(error).__name__}"
    for spec, output, wanted in zip(reference.outputs, outputs, expected):
        if output.shape != wanted.shape:
            return f"{spec.name} came out with shape {list(output.shape)}; PyTorch's has {list(wanted.shape)}"
    errors.add(outputs, expected)
    return None
