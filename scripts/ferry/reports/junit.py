"""``report.json`` as a JUnit file, which CI systems show as a list of tests."""

import re
from typing import Any, Dict, List, Optional
from xml.etree import ElementTree

# XML 1.0 has no place for these, escaped or not.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Dict[str, Any]) -> bytes:
    """One test case a stage, and one for each of its outputs; one alone where the check could not be made."""
    suite = ElementTree.Element("testsuite", name=_text(f"ferry.{report['model']}"))
    if report["fault"]:
        case = _case(suite, report, "verify", report["seconds"])
        ElementTree.SubElement(case, "error", message=_text(report["fault"]), type="VerificationError")
    for name, stage in report["stages"].items():
        case = _case(suite, report, name, stage["latency"]["seconds"])
        if stage["fault"]:
            _fail(case, stage["fault"], (stage.get("where") or {}).get("lines", []))
        for output, measures in stage["outputs"].items():
            fault = _output_fault(measures)
            case = _case(suite, report, f"{name}: {output}", 0.0)
            if fault:
                _fail(case, f"{output} {fault}", [])
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")
    suite.set("time", f"{report['seconds'] or 0.0:.3f}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _case(suite: ElementTree.Element, report: Dict[str, Any], name: str, seconds: Optional[float]):
    classname = _text(f"ferry.{report['model']}")
    return ElementTree.SubElement(
        suite, "testcase", classname=classname, name=_text(name), time=f"{seconds or 0.0:.3f}"
    )


def _fail(case: ElementTree.Element, message: str, details: List[str]) -> None:
    failure = ElementTree.SubElement(case, "failure", message=_text(message), type="VerificationFailure")
    failure.text = _text("\n".join([message, *details]))


def _output_fault(measures: Dict[str, Any]) -> Optional[str]:
    if not measures["finite"]:
        return "holds NaN or infinity where PyTorch's does not"
    if measures["allowed"] is None:
        return "is of integers, which do not round, and differs" if measures["unequal_values"] else None
    for name, what in (("mean", "in the mean"), ("p999", "at the 99.9th percentile"), ("max", "at worst")):
        found, limit = measures["against_reference"]["absolute"][name], measures["allowed"]["absolute"][name]
        if found is not None and limit is not None and found > limit:
            return f"is off by {found:.1e} {what}; {limit:.1e} is allowed"
    for part in measures["parts"]:
        group = part["worst_group"]
        if group and group["mean_abs_error"] > group["allowed"]:
            places = ", ".join(map(str, group["indices"][:4]))
            return (
                f"is off by {group['mean_abs_error']:.1e} in the mean at {places}, … of axis {part['axis']}; "
                f"{group['allowed']:.1e} is allowed there"
            )
    return None


def _text(text: str) -> str:
    return FORBIDDEN.sub("?", text)
