"""Ctrl-C reaches the stage inside its container, and neither a half-written file nor a container is left."""

import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.slow

SLOW = """
import glob
import time

def get_pytorch_model():
    open(glob.glob("build/.work/export_onnx-*")[0] + "/started", "w").close()
    time.sleep(120)
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_stage_ends(engine, client, image, checkout, stop):
    (checkout / "models" / "slow.py").write_text(SLOW)
    work = checkout / "build" / ".work"
    process = subprocess.Popen(
        ["make", "onnx", "MODEL=slow", f"RUNNER={engine.name}"], cwd=str(checkout), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.time() + 60
    while not list(work.glob("*/started")) and time.time() < deadline:
        time.sleep(0.05)
    assert list(work.glob("*/started"))
    # What a terminal does: the signal goes to make and to all it has started.
    os.killpg(process.pid, stop)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "interrupted; nothing was left half-written" in output
    assert list(work.iterdir()) == []
    assert os.listdir(str(checkout / "build" / "slow")) == ["logs"]
    deadline = time.time() + 30
    while time.time() < deadline and _running(client, image):
        time.sleep(0.1)
    assert not _running(client, image)


def _running(client, image):
    return client.containers.list(filters={"ancestor": image})
