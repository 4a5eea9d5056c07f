import json
from dataclasses import replace

import jsonschema
import pytest

from ferry.errors import InputFileError
from ferry.reports import files, json_report
from programs import ROOT

pytestmark = pytest.mark.fast

SCHEMA = json.loads((ROOT / "docs" / "report.schema.json").read_text())
HOSTILE = "\x1b]0;owned\x07\u202e"


def test_the_schema_names_its_version():
    assert SCHEMA["properties"]["schema_version"]["const"] == json_report.SCHEMA_VERSION


def test_the_schema_describes_each_field_that_is_written(reports):
    """What a report holds beyond the schema is found: the schema itself forbids it at the top alone."""
    definitions, stage = SCHEMA["definitions"], reports["failed"]["stages"]["tensorflow"]
    known = {
        "stage": (stage, definitions["stage"]),
        "output": (stage["outputs"]["output"], definitions["output"]),
        "where": (stage["where"], definitions["stage"]["properties"]["where"]),
        "settings": (reports["passed"]["settings"], SCHEMA["properties"]["settings"]),
        "reference": (reports["passed"]["reference"], SCHEMA["properties"]["reference"]),
        "inputs": (reports["passed"]["inputs"], SCHEMA["properties"]["inputs"]),
    }
    for name, (held, described) in known.items():
        properties = set(described["properties"])
        if name == "output":
            properties |= set(definitions["measures"]["properties"])
        assert set(held) == properties, name


def test_what_a_model_says_is_safe_to_show(verdicts):
    verdict = verdicts["failed"]
    stages = {name: replace(stage, outputs={HOSTILE: next(iter(stage.outputs.values()))} if stage.outputs else {})
              for name, stage in verdict.stages.items()}  # fmt: skip
    report = json_report.as_plain(replace(verdict, model=HOSTILE, notes=[HOSTILE], stages=stages))
    jsonschema.validate(report, SCHEMA)
    text = json.dumps(report, ensure_ascii=False)
    assert text.isprintable()
    assert report["model"] == "\\x1b]0;owned\\x07\\u202e"
    assert report["model"] in report["stages"]["onnx"]["outputs"]


def test_what_was_written_is_read_again(verdicts, tmp_path):
    files.write(str(tmp_path), verdicts["failed"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json", "report.junit.xml"]
    report = json_report.load(str(tmp_path / "report.json"))
    assert report == json_report.as_plain(verdicts["failed"])
    with pytest.raises(InputFileError, match="cannot read"):
        json_report.load(str(tmp_path / "report"))
