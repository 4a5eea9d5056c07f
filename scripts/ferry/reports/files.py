"""The files that a verification leaves for its readers, all written from one report."""

import os
from typing import Any, Dict, List

from ferry import atomic_file
from ferry.reports import json_report, junit, page
from ferry.verify.verdict import Verdict

REPORT = "report.json"


def write(folder: str, verdict: Verdict) -> None:
    """Write ``report.json``, and what ``write_views`` does, into ``folder``.

    Raises:
        OutputFileError: one of them cannot be written.
    """
    report = json_report.as_plain(verdict)
    atomic_file.write_bytes(os.path.join(folder, REPORT), json_report.as_bytes(report))
    write_views(folder, report)


def write_views(folder: str, report: Dict[str, Any]) -> List[str]:
    """Write ``report.html`` and ``report.junit.xml`` into ``folder``; returns their paths.

    Raises:
        OutputFileError: one of them cannot be written.
    """
    made = {"report.html": page.render(report).encode(), "report.junit.xml": junit.render(report)}
    paths = []
    for name, data in made.items():
        paths.append(os.path.join(folder, name))
        atomic_file.write_bytes(paths[-1], data)
    return paths
