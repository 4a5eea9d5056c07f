"""Every one of onnx's operator tests, converted: nothing computes something else, and the table in docs/ says so."""

import re
import sys
import textwrap

import pytest

from ferry.errors import FAULT
from programs import ROOT, run, run_stage

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


# Each worker process imports this anew, and so has the error of Ferry's own in it too.
PLANTED = """
    import sys
    sys.path.insert(0, {scripts!r})
    from ferry.graph import operator_registry
    from ferry.lowering import convert_onnx
    import operator_coverage

    def broken(*_):
        raise KeyError("planted")

    if sys.argv.pop(1) == "pass":
        first, *others = convert_onnx.PASSES
        convert_onnx.PASSES = [first._replace(run=broken), *others]
    else:
        operator_registry.LOWERINGS["Abs"] = {{0: broken}}
    if __name__ == "__main__":
        sys.exit(operator_coverage.main())
"""


@pytest.mark.parametrize("place", ["pass", "lowering"])
def test_an_error_planted_in_a_pass_or_a_lowering_is_a_fault_in_ferry(tmp_path, place):
    made = tmp_path / "coverage.md"
    program = tmp_path / "planted.py"
    program.write_text(textwrap.dedent(PLANTED.format(scripts=str(ROOT / "scripts"))))
    done = run(sys.executable, "-s", program, place, "--operator", "Abs", "--output", made)
    assert done.returncode == 1
    assert "(1 cases, 1 WRONG, 1 by a fault in Ferry)" in done.stdout
    assert f"- abs, all inputs fed: {FAULT} at " in made.read_text()
    assert "planted" in made.read_text()
    assert "## What is refused\n\n\n## What is WRONG" in made.read_text()
