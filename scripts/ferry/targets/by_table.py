"""Say of a ``.tflite`` what it will run on, by the tables of docs/targets/."""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ferry.errors import UnsupportedModelError
from ferry.targets import target_tables
from ferry.targets.uses import Use, arena_bytes, has_transpose_at_the_entry, uses

# In the order in which they are shown. WHOLE: what is not in the table does not run at all.
DELEGATES = ("xnnpack", "gpu", "nnapi", "coreml", "edgetpu", "micro")
WHOLE = ("micro",)
OF_INT8 = ("edgetpu",)
OF_A_RUNTIME = re.compile(r"tflite-([12]\.[0-9]{1,2})")
# What quantization leaves in a file whose inputs and outputs stay float.
EDGES = ("QUANTIZE", "DEQUANTIZE")
YES, PARTLY, NO = "yes", "partly", "no"


class Answer(NamedTuple):
    """Whether a file runs on ``target`` by its table: ``yes``, ``partly`` or ``no``; what holds it back; what to do."""

    target: str
    title: str
    verdict: str
    held_back: Tuple[str, ...]
    advice: Tuple[str, ...]
    detail: str
    table: target_tables.Table


def all_targets(data: bytes) -> List[Answer]:
    """An answer for TensorFlow Lite's own runtime, and one for each delegate and chip that there is a table of."""
    return [oldest_runtime(data), *(delegate(data, name) for name in DELEGATES)]


def oldest_runtime(data: bytes) -> Answer:
    """Which releases of TensorFlow Lite have each operator in the version that the file asks for."""
    table, since = target_tables.runtimes()
    oldest: Tuple[int, ...] = (0,)
    of, unknown, flex = "", [], []
    for use in uses(data):
        release = since.get((use.operator, use.version))
        if use.operator.startswith("Flex"):
            flex.append(use.operator)
        elif release is None:
            unknown.append(f"{use.operator} of version {use.version}")
        elif release > oldest:
            oldest, of = release, f"{use.operator} of version {use.version}"
    advice = ["the app needs the Flex delegate, of the TensorFlow that converted the file, or newer"] if flex else []
    detail = f"{_dotted(oldest)} and newer: {of} came with it" if of else ""
    verdict = NO if unknown else (PARTLY if flex else YES)
    held_back = (*unknown, *sorted(set(flex)))
    return Answer(target_tables.RUNTIME, table.title, verdict, held_back, tuple(advice), detail, table)


def delegate(data: bytes, name: str) -> Answer:
    """Which operators of the file the delegate or chip ``name`` takes by its table."""
    table = target_tables.load(name)
    refused: Dict[str, int] = {}
    taken = 0
    found = uses(data)
    for use, count in found.items():
        why = _refused(use, table.rows.get(use.operator))
        if why is None or (name == "edgetpu" and use.operator in EDGES):
            taken += count
        else:
            refused[why] = refused.get(why, 0) + count
    verdict = YES if not refused else (PARTLY if taken and name not in WHOLE else NO)
    held_back = tuple(f"{count} {why}" for why, count in sorted(refused.items(), key=lambda pair: (-pair[1], pair[0])))
    advice = _advice(name, data, refused, found)
    if name == "edgetpu" and verdict == YES and advice:
        verdict = PARTLY
    detail = f"{taken} of {sum(found.values())} operators"
    if name == "micro":
        detail += f", an arena of at least {arena_bytes(data) / 1000:,.0f} kB for the tensors between them"
    return Answer(name, table.title, verdict, held_back, tuple(advice), detail, table)


def must_run(data: bytes, target: str) -> None:
    """See that the file runs as a whole on ``target``: a delegate, a chip, or ``tflite-2.1`` and the like.

    Raises:
        UnsupportedModelError: it does not, by its table; the message lists the operators.
    """
    answer = _of_a_release(data, target) if OF_A_RUNTIME.fullmatch(target) else delegate(data, target)
    if answer.verdict == YES:
        return
    because = "; ".join([*answer.held_back, *answer.advice])
    raise UnsupportedModelError(
        f"TARGET={target}: by the table of {answer.table.date} {answer.title} does not take all of this file: {because}"
    )


def takes(target: str, operator: str) -> bool:
    """Whether ``target`` has ``operator`` at all; true for no target."""
    match = OF_A_RUNTIME.fullmatch(target)
    if match:
        return any(
            name == operator and old <= target_tables.release(match.group(1)) for (name, _), old in _since().items()
        )
    return not target or operator in target_tables.load(target).rows


def _since() -> Dict[Tuple[str, int], Tuple[int, ...]]:
    return target_tables.runtimes()[1]


def _of_a_release(data: bytes, target: str) -> Answer:
    answer = oldest_runtime(data)
    wanted = target_tables.release(target.rpartition("-")[2])
    since = _since()
    newer = [
        f"{count} {use.operator} of version {use.version}, which came with {_dotted(since[use.operator, use.version])}"
        for use, count in uses(data).items()
        if since.get((use.operator, use.version), (0,))[:2] > wanted
    ]
    held_back = (*answer.held_back, *newer)
    return answer._replace(verdict=NO if held_back else YES, held_back=held_back)


def _refused(use: Use, row: Optional[target_tables.Row]) -> Optional[str]:
    """Why ``use`` is not taken, beginning with its operator; None if it is."""
    if row is None:
        return use.operator
    if row.newest and use.version > row.newest:
        return f"{use.operator} of version {use.version} ({row.newest} at most)"
    if row.dtypes and use.dtype not in row.dtypes:
        return f"{use.operator} of {use.dtype}"
    if row.axes and use.axes not in row.axes:
        return f"{use.operator} of an input with {use.axes} axes"
    return None


def _advice(name: str, data: bytes, refused: Dict[str, int], found: Dict[Use, int]) -> List[str]:
    advice = []
    if name == "edgetpu" and any("float" in why for why in refused):
        advice.append("QUANT=int8 makes a file of int8")
    if name == "edgetpu" and has_transpose_at_the_entry(data):
        advice.append("LAYOUT=nhwc leaves out the TRANSPOSE at the entry, which its compiler refuses for large images")
    if name == "nnapi" and any("BATCH_MATMUL" in why for why in refused):
        advice.append("TARGET=nnapi keeps matrix products unrolled")
    if name == "micro" and not refused and not any(use.dtype == "int8" for use in found):
        advice.append("QUANT=int8 takes a quarter of the memory")
    return advice


def _dotted(release: Tuple[int, ...]) -> str:
    return ".".join(str(part) for part in release)
