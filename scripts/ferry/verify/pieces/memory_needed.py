"""How much memory it takes to hold the pieces of a model against float64, and how much there is."""

import os
from typing import List, Optional

# A process holds the weights in float32 and, with their bounds, in float64, and each runtime has copies of its own:
# VGG16 took 10 times its weights, and ResNet-50's activations 1 GB beside.
WEIGHTS_TIMES, BESIDE_BYTES = 12, 1 << 30
MEMINFO = "/proc/meminfo"
# What a container may use and what it uses, under either version of control groups.
LIMITS = [
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
]


def needed(path: str) -> int:
    """The bytes that a process takes for the pieces of the ONNX model in ``path``, about."""
    return WEIGHTS_TIMES * os.path.getsize(path) + BESIDE_BYTES


def available() -> Optional[int]:
    """The bytes that are free on this machine and in this container; ``None`` where neither says so."""
    found: List[int] = []
    try:
        with open(MEMINFO) as file:
            found += [1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable:")]
    except OSError:
        pass
    for limit, used in LIMITS:
        try:
            with open(limit) as limit_file, open(used) as used_file:
                found.append(int(limit_file.read()) - int(used_file.read()))
        except (OSError, ValueError):
            # There is no such file, or no limit: "max".
            continue
    return min(found, default=None)
