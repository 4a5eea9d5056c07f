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
    return _finished(suite, report)


def render_quantized(report: Dict[str, Any]) -> bytes:
    """One test case an operator of a quantized file, an output and a row of decisions; what is wrong fails the file."""
    suite = ElementTree.Element("testsuite", name=printable(f"ferry.{report['model']}.{report['quant']}"))
    if report["fault"]:
        case = _case(suite, report, "verify", report["seconds"])
        ElementTree.SubElement(case, "error", message=printable(report["fault"]), type="VerificationError")
    for operator in report["fidelity"]:
        case = _case(suite, report, f"{operator['position']}: {operator['operator']} {operator['name']}", 0.0)
        if operator["fault"]:
            _fail(case, operator["fault"], [])
    of_the_whole = report["faults"][sum(operator["fault"] is not None for operator in report["fidelity"]) :]
    if not report["fault"]:
        case = _case(suite, report, "cost and decisions", report["seconds"])
        if of_the_whole:
            _fail(case, of_the_whole[0], of_the_whole[1:])
    return _finished(suite, report)


def _finished(suite: ElementTree.Element, report: Dict[str, Any]) -> bytes:
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
