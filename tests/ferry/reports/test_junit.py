from xml.etree import ElementTree

import pytest

from ferry.reports import junit

pytestmark = pytest.mark.fast

pytestmark = pytest.mark.fast


def suite_of(report):
    root = ElementTree.fromstring(junit.render(report))
    assert root.tag == "testsuites"
    (suite,) = root
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases) > 0
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
    for case in cases:
        assert case.get("name") and case.get("classname") and float(case.get("time")) >= 0
    return suite


def test_a_case_for_each_stage_and_each_of_its_outputs(reports):
    suite = suite_of(reports["passed"])
    names = [case.get("name") for case in suite.findall("testcase")]
    assert names == ["onnx", "onnx: output", "tensorflow", "tensorflow: output", "tflite", "tflite: output"]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_what_the_inputs_reach_is_among_the_properties(reports):
    properties = {each.get("name"): each.get("value") for each in suite_of(reports["passed"]).findall("properties/*")}
    assert (properties["coverage.weights"], properties["coverage.weights_reached"]) == ("1000", "937")
    assert (properties["coverage.dead"], properties["coverage.saturated"]) == ("3", "1")


def test_a_failure_says_what_the_console_says(reports):
    suite = suite_of(reports["failed"])
    failed = {case.get("name"): case.find("failure") for case in suite if case.find("failure") is not None}
    assert list(failed) == ["tensorflow", "tensorflow: output", "tflite"]
    assert failed["tensorflow"].get("message") == "output is off by 2e-2 of its scale in the mean"
    assert "tensorflow breaks: <here>" in failed["tensorflow"].text
    assert failed["tensorflow: output"].get("message") == "output is off by 2e-2 of its scale in the mean"
    assert failed["tflite"].get("message") == "model.tflite is cut short"


def test_it_judges_nothing_itself(reports):
    report = reports["passed"]
    report["stages"]["onnx"]["outputs"]["output"]["allowed"]["absolute"]["mean"] = 1e-30
    assert suite_of(report).findall("testcase/failure") == []


def test_a_check_that_could_not_be_made_is_an_error(reports):
    suite = suite_of(reports["nothing"])
    assert suite.find("testcase/error").get("message") == "output is the same for every input"


def test_what_xml_has_no_place_for_is_shown_as_an_escape(reports):
    report = reports["failed"]
    report["model"] = "a\x00b<&\ud800"
    report["stages"]["tensorflow"]["fault"] = "\x1b[31mred"
    suite = suite_of(report)
    assert suite.get("name") == "ferry.a\\x00b<&\\ud800"
    assert suite.find("testcase/failure").get("message") == "\\x1b[31mred"
