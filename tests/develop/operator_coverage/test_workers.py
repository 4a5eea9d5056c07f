import os
import time

from develop.operator_coverage import workers
from ferry.errors import FAULT


def act(job):
    if job == "die":
        os._exit(3)
    if job == "hang":
        time.sleep(600)
    if job == "raise":
        raise KeyError("planted")
    return job.upper()


def test_one_that_dies_or_hangs_takes_none_with_it():
    jobs = ["a", "die", "b", "hang", "c", "d"]
    answers = list(workers.run_all(act, jobs, processes=2, timeout=5))
    assert [answers[position] for position in (0, 2, 4, 5)] == ["A", "B", "C", "D"]
    assert answers[1] == workers.Died("it ended its process with exit code 3")
    assert answers[3] == workers.Died("it took more than 5 seconds")


def test_what_is_raised_is_a_fault_in_ferry():
    first, second = workers.run_all(act, ["raise", "a"], processes=1, timeout=60)
    assert first.how.startswith(FAULT) and first.how.endswith("KeyError: 'planted'")
    assert second == "A"
