"""The tables of docs/targets/: which operators a runtime, a delegate or a chip takes, with their source and date."""

import csv
import os
from typing import Dict, List, NamedTuple, Tuple

FOLDER = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))), "docs", "targets"
)
RUNTIME = "runtime"


class Row(NamedTuple):
    """What is taken of an operator: versions up to ``newest``, and inputs of these dtypes and numbers of axes.

    0 and empty ones stand for any. ``note`` is a limit in words, which nothing here can check.
    """

    newest: int
    dtypes: Tuple[str, ...]
    axes: Tuple[int, ...]
    note: str


class Table(NamedTuple):
    """A table: what it is of, where it comes from and when it was read, a remark, and a row for each operator."""

    title: str
    source: str
    date: str
    remark: str
    rows: Dict[str, Row]


def load(name: str) -> Table:
    """Read the table ``name`` of a delegate or chip."""
    comments, lines = _parts(name)
    rows = {
        line["operator"]: Row(
            int(line["newest version"] or 0),
            tuple(line["dtypes"].split()),
            tuple(int(axes) for axes in line["axes"].split()),
            line["note"],
        )
        for line in lines
    }
    return _table(comments, rows)


def runtimes() -> Tuple[Table, Dict[Tuple[str, int], Tuple[int, ...]]]:
    """The table of TensorFlow Lite's own runtime, without rows, and the release that has each operator's version."""
    comments, lines = _parts(RUNTIME)
    since = {(line["operator"], int(line["version"])): release(line["since"]) for line in lines}
    return _table(comments, {}), since


def release(text: str) -> Tuple[int, ...]:
    """A release such as ``1.10.1``, to be compared."""
    return tuple(int(part) for part in text.split("."))


def _table(comments: List[str], rows: Dict[str, Row]) -> Table:
    title, source, date, remark = comments
    return Table(title, source, date, remark, rows)


def _parts(name: str) -> Tuple[List[str], List[Dict[str, str]]]:
    with open(os.path.join(FOLDER, f"{name}.tsv"), encoding="utf-8", newline="") as file:
        lines = file.read().splitlines()
    comments = [line[2:].partition(": ")[2] or line[2:] for line in lines if line.startswith("#")]
    held = [line for line in lines if not line.startswith("#")]
    return comments, list(csv.DictReader(held, delimiter="\t", quoting=csv.QUOTE_NONE))
