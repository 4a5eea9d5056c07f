"""``report.json``: the verdict as plain values. docs/report.schema.json says what it holds."""

import dataclasses
import json
from typing import Any, Dict, Union

from ferry.errors import InputFileError
from ferry.printable import printable
from ferry.verify.quantized.quantized_verdict import QuantizedVerdict
from ferry.verify.verdict import Verdict

# Raised when a field is removed or means something else.
SCHEMA_VERSION = 3


def as_plain(verdict: Union[Verdict, QuantizedVerdict]) -> Dict[str, Any]:
    """The verdict as dictionaries, lists, numbers and text that is safe to show."""
    return {"schema_version": SCHEMA_VERSION, **_plain(verdict)}


def as_bytes(report: Dict[str, Any]) -> bytes:
    """The report as JSON."""
    return (json.dumps(report, indent=2, allow_nan=False) + "\n").encode()


def load(path: str) -> Dict[str, Any]:
    """The report in the file ``path``.

    Raises:
        InputFileError: it cannot be read, is no report, or one of another schema version.
    """
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise InputFileError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputFileError(f"{path} is not JSON, or is cut short: {error}") from error
    if not isinstance(report, dict) or report.get("schema_version") != SCHEMA_VERSION:
        raise InputFileError(f"{path} is no report of schema version {SCHEMA_VERSION}: run `make verify` again")
    return report


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {printable(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return printable(value) if isinstance(value, str) else value
