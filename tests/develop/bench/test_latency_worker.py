"""The program that times the models: in turns, and each in a process with the others."""

import io
import itertools
import json
from collections import Counter

import pytest

from develop.bench import latency_worker

pytestmark = pytest.mark.fast


class FakeInterpreter:
    """Notes in ``log`` which model was invoked."""

    log = []

    def __init__(self, model_path, num_threads):
        if model_path == "broken":
            raise ValueError("this is no model\nand more")
        self.name, self.threads = model_path, num_threads

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        return []

    def invoke(self):
        self.log.append((self.name, self.threads))

    def _get_ops_details(self):
        return [{"op_name": "CONV_2D"}] + [{"op_name": "DELEGATE"}] * (self.name == "taken")


@pytest.fixture()
def measure(monkeypatch, capsys):
    monkeypatch.setattr(FakeInterpreter, "log", [])
    monkeypatch.setattr(latency_worker, "interpreter_class", lambda: (FakeInterpreter, "fake 1.0"))

    def run(models, rounds, rounds_a_loading=100):
        job = {"models": {name: name for name in models}, "threads": 2, "rounds": rounds}
        job["rounds_a_loading"] = rounds_a_loading
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(job)))
        latency_worker.main()
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_every_order_comes_equally_often():
    orders = list(itertools.islice(latency_worker.in_every_order(["a", "b", "c"]), 12))
    assert set(Counter(orders).values()) == {2}
    assert len(set(orders)) == 6


def test_the_models_take_turns(measure):
    measure(["a", "b", "c"], rounds=12)
    # The first three times two invocations find out whether the models run at all, and as many are not counted.
    names = [name for name, _ in FakeInterpreter.log[12:]]
    rounds = [tuple(names[start : start + 3]) for start in range(0, len(names), 3)]
    assert len(rounds) == 12
    assert set(rounds) == set(itertools.permutations("abc"))
    assert {threads for _, threads in FakeInterpreter.log} == {2}


def test_they_are_loaded_anew_in_another_order(measure):
    measure(["a", "b"], rounds=4, rounds_a_loading=2)
    names = "".join(name for name, _ in FakeInterpreter.log)
    assert names == "abab" + "abab" + "abba" + "baba" + "abba"


def test_every_round_is_reported(measure):
    *rounds, result = measure(["a", "taken"], rounds=4, rounds_a_loading=3)
    assert [line["round"] for line in rounds] == list(range(1, 5))
    assert result["runtime"] == "fake 1.0"
    for clock in ("seconds", "processor_seconds"):
        assert {name: len(samples) for name, samples in result[clock].items()} == {"a": 4, "taken": 4}
    assert result["delegated"] == {"a": False, "taken": True}


def test_a_model_that_does_not_run_is_left_out_with_the_reason(measure):
    *_, result = measure(["broken", "a"], rounds=2)
    assert result["faults"] == {"broken": "this is no model"}
    assert list(result["seconds"]) == ["a"]
