import json

import pytest

from programs import convert, run_stage, write_model


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model = write_model(folder / "m.py", "F.relu(self.c(x))", members="self.c = nn.Conv2d(3, 4, 3)")
    made = convert(model, folder / "build")
    done = run_stage("verify", "--model", model, "--build", made, "--samples", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_verify_writes_the_page_and_the_junit_file_and_they_can_be_written_again(build):
    names = ("report.html", "report.junit.xml")
    before = [(build / name).read_bytes() for name in names]
    assert b"<strong>Passed" in before[0] and b"<testcase" in before[1]
    for name in names:
        (build / name).unlink()
    done = run_stage("report_page", "--report", build / "report.json")
    assert done.returncode == 0, done.stderr
    assert [(build / name).read_bytes() for name in names] == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "is not JSON, or is cut short"),
        ("[]", "is no report of schema version 3"),
        (json.dumps({"schema_version": 1}), "is no report of schema version 3"),
    ],
)
def test_what_is_no_report_is_one_line(tmp_path, content, message):
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content)
    done = run_stage("report_page", "--report", path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "report.html").exists()
