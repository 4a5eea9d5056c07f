"""Give a container the GPU, where its engine can, and where it cannot say why and go on without."""

import subprocess
import sys
from typing import List, Optional

from runners import engines
from runners.engines import Engine

OPTIONS = {"docker": ["--gpus=all"], "podman": ["--device=nvidia.com/gpu=all"]}
# A volume of the engine's, where what the driver compiles for a new GPU is kept from run to run.
VOLUME = "ferry-cuda-cache"
CACHE = f"--mount=type=volume,src={VOLUME},dst=/var/cache/ferry-cuda"
# What engines say, and what it means. The first that fits is taken.
COMPLAINTS = (
    (("could not select device driver", "unknown flag: --gpus"), "this Docker has no NVIDIA Container Toolkit"),
    (
        ("unresolvable cdi device", "stat nvidia.com/gpu=all"),
        "this Podman has no description of a GPU (`sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`, of the "
        "NVIDIA Container Toolkit, writes one)",
    ),
    (
        ("libnvidia-ml.so", "driver not loaded", "nvml error", "driver/library version mismatch"),
        "there is no working NVIDIA driver on this machine",
    ),
)


def options(engine: Engine, image: str) -> List[str]:
    """The options of the engine that give a container the GPU; none where it cannot start one so.

    Then one line says why, and TensorFlow is to run on the CPU.
    """
    given = OPTIONS[engine.name]
    reason = _refusal(engine, image, given)
    if reason is None:
        return [*given, CACHE]
    print(f"ferry: DEVICE=gpu: {reason}; TensorFlow runs on the CPU", file=sys.stderr, flush=True)
    return []


def _refusal(engine: Engine, image: str, options: List[str]) -> Optional[str]:
    """Why a container with ``options`` does not start, or None where it does."""
    trial = [engine.name, "run", "--rm", "--pull=never", "--network=none", *options, "--entrypoint=true", image]
    tried = subprocess.run(trial, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if tried.returncode == 0:
        return None
    complaint = tried.stderr.decode(errors="replace")
    for phrases, meaning in COMPLAINTS:
        if any(phrase in complaint.lower() for phrase in phrases):
            return meaning
    return f"{engine.name} cannot give a container the GPU: {engines.explain(complaint.splitlines())}"
