"""docs/security.md names tests that there are, and variables of the environment as the code has them."""

import re

import pytest

from programs import ROOT
from runners import container, sandbox

pytestmark = pytest.mark.fast

PAGE = (ROOT / "docs" / "security.md").read_text()


def test_every_test_that_it_names_is_there():
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_it_names_of_the_code_is_there():
    assert sandbox.PASSED_ON
    assert f"to {container.PROCESSES} " in PAGE
