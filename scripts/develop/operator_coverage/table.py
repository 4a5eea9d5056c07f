"""The table of what became of the cases, in Markdown: the same outcomes always as the same text."""

from collections import Counter
from typing import Dict, List, Sequence, Set, Tuple

from develop.operator_coverage.cases import SEVERAL, Case
from develop.operator_coverage.outcome import FLEX, REFUSED, RIGHT, WRONG, Outcome

HEAD = """\
# Operator coverage

onnx comes with tests of its operators: small models, their inputs and their outputs. `make coverage` converts each
of them with `onnx_to_tf` and `tf_to_tflite`, runs what they made, and writes this file. Where an operator has
parameters that PyTorch exports as constants (weights, shapes, axes), the test is converted a second time with those
constant, as PyTorch would write it.

| column | the case … |
| --- | --- |
| TensorFlow | computes what it must as a frozen graph |
| builtin | computes what it must in TFLite, with builtin operators alone |
| Flex | computes what it must in TFLite, with operators of TensorFlow's own |
| refused | ends with a clear error and a non-zero exit code; the messages are below |
| WRONG | computes something else, does not run, or ends with a fault in Ferry |

"""
COLUMNS = "| operator | version | cases | TensorFlow | builtin | Flex | refused | WRONG |\n" + "| --- " * 8 + "|\n"

Row = Tuple[Case, Outcome]


def as_markdown(rows: Sequence[Row], exported: Set[str]) -> str:
    """The whole document. ``exported`` are the operators that PyTorch's exporter writes; they come first."""
    ours = [row for row in rows if row[0].operator in exported]
    others = [row for row in rows if row[0].operator not in exported]
    return "".join(
        [
            HEAD,
            summary(rows, exported),
            "\n## Operators that PyTorch 1.5.1 exports\n\n",
            _table(ours),
            f"\n## Other operators\n\n`{SEVERAL}` are models of more than one.\n\n",
            _table(others),
            "\n## What is refused\n\n",
            _messages(rows, REFUSED),
            _wrong(rows),
        ]
    )


def summary(rows: Sequence[Row], exported: Set[str]) -> str:
    """A table of the totals: of all cases, and of those of operators that PyTorch exports."""
    ours = [row for row in rows if row[0].operator in exported]
    lines = ["| | cases | TensorFlow | builtin | Flex | refused | WRONG |\n", "| --- " * 7 + "|\n"]
    for name, chosen in (("operators that PyTorch 1.5.1 exports", ours), ("all operators", rows)):
        lines.append(f"| {name} | {_counts(chosen)} |\n")
    return "".join(lines)


def _table(rows: Sequence[Row]) -> str:
    groups: Dict[Tuple[str, int], List[Row]] = {}
    for row in rows:
        groups.setdefault((row[0].operator, row[0].opset), []).append(row)
    lines = [f"| {operator} | {opset} | {_counts(group)} |\n" for (operator, opset), group in sorted(groups.items())]
    return COLUMNS + "".join(lines)


def _counts(rows: Sequence[Row]) -> str:
    tensorflow = sum(outcome.tensorflow == RIGHT for _, outcome in rows)
    tflite = Counter(outcome.tflite for _, outcome in rows)
    return " | ".join(str(count or "") for count in [len(rows), tensorflow, *(tflite[kind] for kind in KINDS)])


KINDS = (RIGHT, FLEX, REFUSED, WRONG)


def _messages(rows: Sequence[Row], kind: str) -> str:
    found = Counter((case.operator, case.opset, outcome.reason) for case, outcome in rows if outcome.tflite == kind)
    return "".join(
        f"- {operator} {opset} ({count}): {escaped(reason)}\n"
        for (operator, opset, reason), count in sorted(found.items())
    )


def _wrong(rows: Sequence[Row]) -> str:
    lines = [
        f"- {case.name}, {case.form}: {escaped(outcome.reason)}\n" for case, outcome in rows if outcome.tflite == WRONG
    ]
    return "\n## What is WRONG\n\n" + "".join(lines) if lines else ""


def escaped(text: str) -> str:
    """``text`` as Markdown shows it and does not read it."""
    return text.replace("<", "&lt;").replace("|", "\\|").replace("_", "\\_").replace("*", "\\*")
