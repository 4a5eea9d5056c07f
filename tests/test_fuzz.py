"""A small run of the fuzzing, and that it finds what it is there to find."""

import os
import signal
import sys
import time

import fuzz
import pytest

from develop.fuzzing import mutations
from programs import ROOT, run, run_python

pytestmark = pytest.mark.slow


def test_a_small_run_finds_nothing():
    done = run(sys.executable, "-s", ROOT / "scripts" / "fuzz.py", "--count", 40, "--seed", 500000)
    assert done.returncode == 0, done.stdout
    assert "40 as it should be" in done.stdout


def test_the_same_seed_damages_a_file_the_same_way():
    samples = [bytes(range(200)), b"another" * 30]
    made = [mutations.damaged_bytes(seed, samples) for seed in range(50)]
    assert made == [mutations.damaged_bytes(seed, samples) for seed in range(50)]
    assert len(set(made)) > 40


def sound(source, target, log):
    with open(target, "w") as file:
        file.write("made")
    return 0


def refused(source, target, log):
    os.write(1, b"stage: error: this is no model")
    return 1


def crashed(source, target, log):
    os.kill(os.getpid(), signal.SIGKILL)


def hung(source, target, log):
    time.sleep(60)


def faulty(source, target, log):
    os.write(1, b"stage: error: this should not have happened, and is a fault in Ferry: KeyError")
    return 1


def littering(source, target, log):
    with open(target + ".1.partial", "w") as file:
        file.write("half")
    return refused(source, target, log)


@pytest.mark.parametrize(
    ("stage", "verdict"),
    [
        (sound, ""),
        (refused, ""),
        (crashed, fuzz.CRASH),
        (hung, fuzz.HANG),
        (faulty, fuzz.FAULT),
        (littering, fuzz.LEFT),
    ],
)
def test_each_way_to_fail_is_told(tmp_path, monkeypatch, stage, verdict):
    monkeypatch.setattr(fuzz, "SECONDS", 5)
    assert fuzz.run_one(stage, ".onnx", b"data", str(tmp_path / "work"))[0] == verdict


# Each pass and a lowering, with an error of Ferry's own in it.
PLANTED = """
    import os, sys, warnings
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.simplefilter("ignore")
    import fuzz
    from develop.fuzzing import samples, stages
    from ferry.graph import operator_registry
    from ferry.lowering import convert_onnx

    def broken(*_):
        raise KeyError("planted")

    def tried():
        folder = os.path.join(sys.argv[1], "work")
        return fuzz.run_one(stages.STAGES["onnx_to_tf"], ".onnx", samples.onnx_models()[0], folder)

    passes, names = convert_onnx.PASSES, [each.name for each in convert_onnx.PASSES]
    print("sound", *tried())
    for position, each in enumerate(passes):
        convert_onnx.PASSES = [*passes[:position], each._replace(run=broken), *passes[position + 1:]]
        print("pass", *tried())
    convert_onnx.PASSES = passes
    operator_registry.LOWERINGS["Conv"] = {0: broken}
    print("lowering", *tried())
"""


def test_an_error_planted_in_any_pass_or_lowering_is_a_fault_in_ferry(tmp_path):
    lines = run_python(PLANTED, tmp_path).stdout.splitlines()
    tried = [line for line in lines if line.split(" ")[0] in ("sound", "pass", "lowering")]
    assert tried[0].startswith("sound  onnx_to_tf: ")
    assert len(tried) > 10
    for line in tried[1:]:
        assert f"{fuzz.FAULT} onnx_to_tf: error: this should not have happened, and is a fault in Ferry" in line
        assert "planted" in line
