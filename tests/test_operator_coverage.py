"""Every one of onnx's operator tests, carried: nothing computes something else, and the table in docs/ says so."""

import re

import pytest

from programs import ROOT, run_stage

pytestmark = pytest.mark.slow

TABLE = ROOT / "docs" / "coverage.md"


def test_nothing_is_wrong_and_the_table_is_up_to_date(tmp_path):
    made = tmp_path / "coverage.md"
    done = run_stage("operator_coverage", "--output", made, timeout=1500)
    wrong = re.search(r"## What is WRONG.*", made.read_text(), re.DOTALL)
    assert done.returncode == 0, wrong.group() if wrong else done.stderr
    assert made.read_text() == TABLE.read_text(), "docs/coverage.md is out of date: `make coverage` writes it anew"


def test_what_it_counts_is_not_nothing():
    totals = re.search(r"^\| all operators \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    cases, tensorflow, builtin, flex, refused, _ = (int(cell or 0) for cell in totals.group(1).split(" | "))
    assert cases == builtin + flex + refused > 900
    assert tensorflow > builtin > 550
