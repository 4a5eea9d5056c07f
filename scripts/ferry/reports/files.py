"""The files that are made of a report, beside it."""

import os
from typing import Any, Dict, List

from ferry import atomic_file
from ferry.errors import InputFileError
from ferry.reports import junit, page

SCHEMA_VERSION = 2


def write(folder: str, report: Dict[str, Any]) -> List[str]:
    """Write ``report.html`` and ``report.junit.xml`` into ``folder``; returns their paths.

    Raises:
        InputFileError: the report is none, or of another schema version.
        OutputFileError: one of them cannot be written.
    """
    found = report.get("schema_version") if isinstance(report, dict) else None
    if found != SCHEMA_VERSION:
        raise InputFileError(f"this is no report of schema version {SCHEMA_VERSION}: run `make verify` again")
    made = {"report.html": page.render(report).encode(), "report.junit.xml": junit.render(report)}
    paths = []
    for name, data in made.items():
        paths.append(os.path.join(folder, name))
        atomic_file.write_bytes(paths[-1], data)
    return paths
