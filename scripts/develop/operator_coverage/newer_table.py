"""The table of what became of the newest onnx's tests, in Markdown: the same results always as the same text."""

from collections import Counter
from typing import Dict, List, Sequence, Tuple

from develop.operator_coverage.newer_opsets import NO_KERNEL, REFUSED, RIGHT, WRONG, Result
from develop.operator_coverage.table import escaped

KINDS = (RIGHT, REFUSED, NO_KERNEL, WRONG)
HEAD = """\
# Newer opsets

Files of opset 13 and newer are written in the terms of opset 12 at their import. `make coverage-newest NEWEST=FOLDER`
proves that piece by piece: it takes the node tests of today's onnx, those of opset 13 and newer, writes each in opset
12's terms, runs it in the pinned ONNX Runtime and compares what that computes with what must come out. It writes this
file. `scripts/develop/operator_coverage/newest_cases.py` says how the tests come into a folder.

| column | the test … |
| --- | --- |
| right | computes what it must |
| refused | ends with a clear error that names the operator; the messages are below |
| no kernel | needs a kernel that ONNX Runtime 1.4 lacks, or has another one; Ferry's own lowerings are not tried here |
| WRONG | computes something else, is no valid model, or ends without a clear error |

"""


def as_markdown(rows: Sequence[Result]) -> str:
    """The whole document."""
    groups: Dict[Tuple[str, int], List[Result]] = {}
    for row in rows:
        groups.setdefault((row.operator, row.opset), []).append(row)
    text = HEAD + "| operator | opset | tests | right | refused | no kernel | WRONG |\n" + "| --- " * 7 + "|\n"
    text += f"| all operators | | {_counts(rows)} |\n"
    for (operator, opset), group in sorted(groups.items()):
        text += f"| {operator} | {opset} | {_counts(group)} |\n"
    for title, kind in (("What is WRONG", WRONG), ("What is refused", REFUSED), ("What has no kernel", NO_KERNEL)):
        text += _messages(rows, title, kind)
    return text


def _counts(rows: Sequence[Result]) -> str:
    found = Counter(row.outcome for row in rows)
    return " | ".join(str(count or "") for count in [len(rows), *(found[kind] for kind in KINDS)])


def _messages(rows: Sequence[Result], title: str, kind: str) -> str:
    found = Counter((row.operator, row.opset, escaped(row.reason)) for row in rows if row.outcome == kind)
    lines = [
        f"- {operator} {opset} ({count}): {reason}\n" for (operator, opset, reason), count in sorted(found.items())
    ]
    return f"\n## {title}\n\n" + "".join(lines) if lines else ""
