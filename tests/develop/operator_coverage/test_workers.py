import os
import time

from develop.operator_coverage import workers


def act(job):
    if job == "die":
        os._exit(3)
    if job == "hang":
        time.sleep(600)
    return job.upper()


def test_one_that_dies_or_hangs_takes_none_with_it():
    jobs = ["a", "die", "b", "hang", "c", "d"]
    answers = list(workers.run_all(act, jobs, processes=2, timeout=5))
    assert [answers[position] for position in (0, 2, 4, 5)] == ["A", "B", "C", "D"]
    assert answers[1] == workers.Died("it ended its process with exit code 3")
    assert answers[3] == workers.Died("it took more than 5 seconds")
