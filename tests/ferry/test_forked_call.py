"""What crashes, or never ends, ends a process of its own."""

import os
import signal

import pytest

from ferry import forked_call
from ferry.errors import FaultElsewhere

pytestmark = pytest.mark.fast


def test_it_returns_what_the_function_does():
    assert forked_call.call(lambda a, b: {"sum": a + b}, 1, 2, seconds=5) == {"sum": 3}


def test_a_crash_is_named():
    with pytest.raises(forked_call.CallEnded, match=r"^was ended by SIGSEGV$"):
        forked_call.call(lambda: os.kill(os.getpid(), signal.SIGSEGV), seconds=5)


def test_one_that_never_ends_is_ended():
    def forever():
        while True:
            pass

    with pytest.raises(forked_call.CallEnded, match="took more than 1 s of processor time"):
        forked_call.call(forever, seconds=1)


def test_one_that_leaves_without_an_answer_is_said_to():
    with pytest.raises(forked_call.CallEnded, match="ended with exit code 3"):
        forked_call.call(lambda: os._exit(3), seconds=5)


def test_what_it_raises_is_a_fault_in_ferry():
    with pytest.raises(FaultElsewhere, match="fault in Ferry.*KeyError: 'planted'"):
        forked_call.call(lambda: {}["planted"], seconds=5)


def test_nothing_of_the_process_is_left():
    process = forked_call.call(os.getpid, seconds=5)
    assert process != os.getpid()
    with pytest.raises(ChildProcessError):
        os.waitpid(process, os.WNOHANG)
