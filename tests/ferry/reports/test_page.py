import re

import pytest
from chromium import Chromium, path_or_skip

from ferry.reports import page

WIDTHS = (360, 1100)


def test_the_verdict_comes_first(reports):
    assert re.search(r"<main>\s*<h1>m</h1>\s*<div [^>]*verdict[^>]*>\s*<strong>Passed", page.render(reports["passed"]))
    assert "<strong>Failed" in page.render(reports["failed"])
    assert "<strong>Not proved" in page.render(reports["nothing"])


def test_it_says_which_stage_failed_why_and_where(reports):
    text = page.render(reports["failed"])
    assert "<b>TensorFlow:</b> output is off by 2e-2 of its scale in the mean" in text
    assert "<b>TensorFlow Lite:</b> model.tflite is cut short" in text
    assert "tensorflow breaks: &lt;here&gt;" in text


def test_every_figure_of_the_table_and_all_of_the_provenance_is_there(reports):
    text = page.render(reports["passed"])
    stage = reports["passed"]["stages"]["tflite"]
    for figure in (f"{stage['mean_abs_error']:.1e}", f"{stage['max_abs_error']:.1e}", "1.21\u00d7", "138 dB", "99.8%"):
        assert figure in text
    for known in ("ab" * 32, "cd" * 32, "ef" * 32, "1.5.1", "14.0 MB", "DEPTHWISE_CONV_2D", "a processor"):
        assert known in text
    assert "Flex… need" in text


@pytest.mark.parametrize(
    ("lock", "said"), [("requirements/torch2.lock", "requirements/torch2.lock"), (None, "not locked")]
)
def test_another_pytorch_is_there_with_its_versions(reports, lock, said):
    held = {"versions": {"python": "3.11.7", "torch": "2.13.0"}, "lock": lock, "lock_sha256": None}
    report = {**reports["passed"], "provenance": {**reports["passed"]["provenance"], "torch": held}}
    assert f"python 3.11.7, torch 2.13.0<br>{said}" in page.render(report)


def test_the_same_report_is_the_same_page(reports):
    assert page.render(reports["failed"]) == page.render(reports["failed"])


def test_what_a_user_named_is_text_and_never_markup(reports):
    report = reports["failed"]
    attack = "<script>alert(1)</script>\"'&"
    report["model"] = attack
    report["stages"]["tensorflow"]["fault"] = attack
    report["inputs"]["tensors"][0]["name"] = attack
    report["stages"]["onnx"]["artifact"]["path"] = attack
    report["reference"]["outputs"] = {attack: report["reference"]["outputs"]["output"]}
    for stage in report["stages"].values():
        stage["outputs"] = dict(zip([attack], stage["outputs"].values()))
    text = page.render(report)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


def test_it_judges_nothing_itself(reports):
    report = reports["passed"]
    report["stages"]["onnx"]["outputs"]["output"]["allowed"]["absolute"]["mean"] = 1e-30
    assert 'class="bad-text"' not in page.render(report)
    assert 'class="bad-text"' in page.render(reports["failed"])


def test_no_control_character_reaches_it(reports):
    report = reports["failed"]
    attack = "\x1b[2J\u202e\x00\ud800"
    report["model"] = report["stages"]["tensorflow"]["fault"] = report["stages"]["onnx"]["artifact"]["path"] = attack
    report["stages"]["tensorflow"]["where"]["lines"] = [attack]
    report["notes"] = [attack]
    text = page.render(report)
    assert [c for c in text if c != "\n" and not c.isprintable()] == []
    assert text.count("\\x1b[2J\\u202e\\x00\\ud800") >= 5


def test_it_asks_for_nothing(reports):
    text = page.render(reports["passed"])
    assert not re.search(r"(?:https?:)?//", text.replace("data:,", ""))
    assert not re.search(r"<(?:script|link (?!rel=\"icon\" href=\"data:,\")|img|iframe)", text)


@pytest.fixture(scope="module")
def browser():
    with Chromium(path_or_skip()) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["passed", "failed", "nothing"])
def test_a_browser_shows_it_whole(browser, reports, tmp_path, kind, width, dark):
    file = tmp_path / "report.html"
    file.write_text(page.render(reports[kind]), encoding="utf-8")
    browser.open(file, width, dark)
    assert browser.complaints() == []
    assert browser.requests() == [file.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.compatMode") == "CSS1Compat"
    # Each drawing takes up room, and its bars and lines are in it.
    drawn = "[...document.querySelectorAll('svg')].filter(each => each.getBBox().width > 200 && each.clientHeight > 80)"
    assert browser.evaluate(f"{drawn}.length") == {"passed": 4, "failed": 3, "nothing": 0}[kind]
    assert browser.evaluate("document.querySelectorAll('svg rect, svg polyline').length > 20") is (kind != "nothing")
    background, text = (
        browser.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
    )
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (background, text)]
    assert (brightness[0] < brightness[1]) is dark


@pytest.mark.slow
def test_a_browser_hears_of_faults(browser, tmp_path):
    # What the test above holds against an empty list is not always empty.
    file = tmp_path / "bad.html"
    file.write_text("<script>console.error('x')</script><img src='gone.png'><p style='width:900px'>x")
    browser.open(file, 360)
    assert browser.complaints()
    assert len(browser.requests()) == 2
    assert browser.evaluate("document.documentElement.scrollWidth") > 360


@pytest.mark.slow
def test_it_prints(browser, reports, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page.render(reports["passed"]), encoding="utf-8")
    browser.open(file, 1100)
    made = browser.pdf()
    assert made.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", made)) <= 4
