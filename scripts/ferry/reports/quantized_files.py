"""The files that a verification of a quantized model leaves for its readers, all written from one report."""

import os

from ferry import atomic_file
from ferry.reports import json_report, junit, quantized_page
from ferry.verify.quantized.quantized_verdict import QuantizedVerdict


def report_name(quant: str) -> str:
    """The name of the report on the file quantized as ``quant``."""
    return f"report.{quant}.json"


def write(folder: str, verdict: QuantizedVerdict) -> None:
    """Write ``report.QUANT.json``, its page and its JUnit file into ``folder``.

    Raises:
        OutputFileError: one of them cannot be written.
    """
    report = json_report.as_plain(verdict)
    made = {
        report_name(verdict.quant): json_report.as_bytes(report),
        f"report.{verdict.quant}.html": quantized_page.render(report).encode(),
        f"report.{verdict.quant}.junit.xml": junit.render_quantized(report),
    }
    for name, data in made.items():
        atomic_file.write_bytes(os.path.join(folder, name), data)
