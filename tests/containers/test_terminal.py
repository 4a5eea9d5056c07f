"""A container at a terminal: the shell, and the progress bar."""

import re

import pytest

from programs import run
from terminal import COLUMNS, in_a_terminal

pytestmark = pytest.mark.slow

BAR = r"verify .*\x1b\[[\d;]+m[━╸╺]+"


def test_the_shell_is_one_with_the_environment_and_no_more_rights_than_a_stage(engine, image, checkout):
    typed = "python -c 'import torch; print(\"torch\", torch.__version__)'; touch scripts/planted; exit 7\n"
    code, shown = in_a_terminal(["make", "shell", f"RUNNER={engine.name}"], checkout, typed)
    assert "torch 1.5.1" in shown
    assert "Read-only file system" in shown
    # make ends with 2 whatever the recipe ended with, and says what that was.
    assert (code, "Error 7" in shown) == (2, True), shown


def test_the_progress_bar_shows_at_a_terminal_and_nowhere_else(engine, image, checkout):
    verify = ["make", "verify", "SAMPLES=20", f"RUNNER={engine.name}"]
    code, shown = in_a_terminal(verify, checkout)
    assert code == 0, shown
    assert re.search(BAR, shown), shown
    assert "verify: passed: 20 inputs" in shown
    lines = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown).replace("\r", "\n").splitlines()
    assert max(len(line) for line in lines if "━" in line) <= COLUMNS
    done = run(*verify, cwd=str(checkout))
    assert "verify: passed: 20 inputs" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
