import os
import signal

import pytest

from ferry.errors import FaultElsewhere, ModelFileError, VerificationError
from ferry.worker import Worker, WorkerEnded, report_step, wait


class Opened:
    """What a worker of these tests opens."""

    def __init__(self, greeting):
        if greeting == "bad":
            raise ModelFileError("the file is bad")
        self.greeting = greeting

    def hello(self):
        return self.greeting

    def twice(self, number):
        return 2 * number

    def fail(self, how):
        if how == "ferry":
            raise ModelFileError("said plainly") from ValueError("the cause")
        if how == "bug":
            raise KeyError("deep inside")
        if how == "memory":
            raise MemoryError
        if how == "crash after a step":
            report_step("CONV_2D, operator 3")
        if how.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        os._exit(3)


@pytest.fixture()
def worker():
    made = Worker("opened", Opened, "hello")
    yield made
    made.close()


def test_it_greets_and_answers(worker):
    assert worker.busy
    assert wait([worker]) == [worker]
    assert worker.answer() == "hello"
    assert not worker.busy
    assert worker.call("twice", 21) == 42


def test_what_cannot_be_opened_says_why():
    worker = Worker("opened", Opened, "bad")
    with pytest.raises(ModelFileError, match="the file is bad"):
        worker.answer()
    worker.close()


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("ferry", ModelFileError, "said plainly"),
        ("bug", FaultElsewhere, "^this should not have happened, and is a fault in Ferry.*: KeyError: .deep inside"),
        ("memory", VerificationError, "out of memory"),
        ("crash", VerificationError, "its process was ended by SIGSEGV"),
        ("exit", VerificationError, "its process ended with exit code 3"),
    ],
)
def test_a_failure_there_is_an_error_here(worker, how, error, message):
    worker.answer()
    with pytest.raises(error, match=message) as raised:
        worker.call("fail", how)
    if how in ("ferry", "bug"):
        assert "Traceback" in str(raised.value.__cause__)


def test_of_one_that_was_ended_it_is_known_what_it_did_last(worker):
    worker.answer()
    with pytest.raises(WorkerEnded) as raised:
        worker.call("fail", "crash after a step")
    assert (raised.value.how, raised.value.step) == ("was ended by SIGSEGV", "CONV_2D, operator 3")


def test_asking_one_that_has_ended_is_an_error_and_not_a_traceback(worker):
    worker.answer()
    with pytest.raises(VerificationError):
        worker.call("fail", "exit")
    with pytest.raises(VerificationError, match="exit code 3"):
        worker.call("twice", 1)
