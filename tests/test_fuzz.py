"""A small run of the fuzzing, and that it finds what it is there to find."""

import os
import signal
import sys
import time

import fuzz
import pytest

from programs import ROOT, run

pytestmark = pytest.mark.slow


def test_a_small_run_finds_nothing():
    done = run(sys.executable, "-s", ROOT / "scripts" / "fuzz.py", "--count", 40, "--seed", 500000)
    assert done.returncode == 0, done.stdout
    assert "40 as it should be" in done.stdout


def test_the_same_seed_damages_a_file_the_same_way():
    samples = [bytes(range(200)), b"another" * 30]
    made = [fuzz.mutated(seed, samples) for seed in range(50)]
    assert made == [fuzz.mutated(seed, samples) for seed in range(50)]
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
