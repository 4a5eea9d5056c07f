"""``report.json`` as a JUnit file, which CI systems show as a list of tests."""

from typing import Any, Dict, List, Optional
from xml.etree import ElementTree

from ferry.printable import printable


def render(report: Dict[str, Any]) -> bytes:
    """One test case a stage, and one for each of its outputs; one alone where the check could not be made."""
    suite = ElementTree.Element("testsuite", name=printable(f"ferry.{report['model']}"))
    coverage = report.get("coverage")
    if coverage and coverage["reason"] is None:
        properties = ElementTree.SubElement(suite, "properties")
        for key, value in coverage.items():
            if isinstance(value, int):
                ElementTree.SubElement(properties, "property", name=f"coverage.{key}", value=str(value))
    if report["fault"]:
        case = _case(suite, report, "verify", report["seconds"])
        ElementTree.SubElement(case, "error", message=printable(report["fault"]), type="VerificationError")
    for name, stage in report["stages"].items():
        case = _case(suite, report, name, stage["latency"]["seconds"])
        if stage["fault"]:
            _fail(case, stage["fault"], (stage["where"] or {}).get("lines", []))
        for output, verdict in stage["outputs"].items():
            case = _case(suite, report, f"{name}: {output}", 0.0)
            if verdict["fault"]:
                _fail(case, verdict["fault"], [])
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
    classname = printable(f"ferry.{report['model']}")
    return ElementTree.SubElement(
        suite, "testcase", classname=classname, name=printable(name), time=f"{seconds or 0.0:.3f}"
    )


def _fail(case: ElementTree.Element, message: str, details: List[str]) -> None:
    failure = ElementTree.SubElement(case, "failure", message=printable(message), type="VerificationFailure")
    failure.text = "\n".join(map(printable, [message, *details]))
