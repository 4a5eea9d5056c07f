"""The benchmark's figures as tables for a terminal."""

from typing import Any, Dict, Iterator, List, Optional

from rich import filesize
from rich.table import Table

TITLES = {"ferry": "Ferry", "nhwc": "Ferry nhwc", "keras": "Keras", "article": "article"}


def of(made: Dict[str, Any]) -> Iterator[Table]:
    """The tables of each model of the document: the files, their latency, what converting and verifying took."""
    for name, model in made["models"].items():
        yield _files(name, model["files"])
        yield _latency(model["latency"], list(model["files"]))
        yield _conversion(model["conversion"])
        if "fault" not in model["verification"]:
            yield _verification(model["verification"], made["samples"])


def _files(model: str, files: Dict[str, Any]) -> Table:
    table = _table(model, "size", "operators", "multiply-adds")
    for path, file in files.items():
        count = f"{file['operator_count']:,}"
        table.add_row(TITLES[path], filesize.decimal(file["bytes"]), count, f"{file['multiply_adds'] / 1e6:,.0f} M")
    return table


def _latency(entries: List[Dict[str, Any]], paths: List[str]) -> Table:
    against = "keras" if "keras" in paths else "ferry"
    table = _table("latency on threads", "median", f"÷ {TITLES[against]} (p10 to p90)", "CPU")
    for entry in entries:
        for path in paths:
            time = entry["milliseconds"].get(path)
            table.add_row(
                f"{TITLES[path]}, {entry['runtime']}, {entry['threads']}",
                f"{time['median']:.1f} ms" if time else "-",
                _ratio(entry["ratios"].get(f"{path}/{against}")),
                _median(entry["processor_ratios"].get(f"{path}/{against}")),
            )
    return table


def _conversion(conversion: Dict[str, Any]) -> Table:
    table = _table("conversion", "cold", "bare import", "work", "peak memory")
    for path, made in conversion.items():
        if "fault" in made:
            table.add_row(TITLES[path], "-", "-", "-", "-")
            continue
        for stage, figures in made["stages"].items():
            table.add_row(
                f"{TITLES[path]}, {stage}",
                *(f"{figures[key]['median']:.2f} s" for key in ("seconds", "bare_seconds", "work_seconds")),
                filesize.decimal(figures["peak_bytes"]),
            )
    return table


def _verification(runs: Dict[str, Any], samples: int) -> Table:
    table = _table(f"verification on {samples:,} inputs", "time", "inferences", "ratio", "peak memory")
    for run, figures in runs.items():
        table.add_row(
            {"first": "first", "again": "again, references kept"}[run],
            f"{figures['seconds']:.1f} s",
            f"{sum(figures['inference_seconds'].values()):.1f} s",
            f"{figures['ratio_to_inference']:.3f}",
            filesize.decimal(figures["peak_bytes"]),
        )
    return table


def _median(ratio: Optional[Dict[str, float]]) -> str:
    return _short(ratio["median"]) if ratio else ""


def _ratio(ratio: Optional[Dict[str, float]]) -> str:
    if not ratio:
        return ""
    return f"{_short(ratio['median'])} ({_short(ratio['p10'])} to {_short(ratio['p90'])})"


def _short(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 2 else f"{ratio:.1f}"


def _table(first: str, *headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
