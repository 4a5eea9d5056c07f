"""Bubblewrap for the tests that run it."""

import os

import pytest

from runners import sandbox_probe


def must_work():
    """Bubblewrap's command. Where it doesn't work the test is skipped; FERRY_SANDBOX_REQUIRED makes that a failure."""
    answer = sandbox_probe.ask()
    if isinstance(answer, sandbox_probe.Works):
        return answer.command
    if os.environ.get("FERRY_SANDBOX_REQUIRED"):
        pytest.fail(f"FERRY_SANDBOX_REQUIRED is set, and {answer.trouble}")
    return pytest.skip(answer.trouble)
