#!/usr/bin/env python3
"""Give damaged ``.onnx`` and ``.pb`` files to the stages that read them; each must end by itself, in the stage's words.

Each file goes to a process of its own, forked from one that has imported the libraries: it costs milliseconds, and may
crash. What is looked for: a crash, a hang, an error that is no clear one, a file left behind.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from typing import Dict, List, Tuple

from ferry import errors

# A mutated file that takes longer than this on a busy machine is taken for one that never ends.
SECONDS = 300
CRASH, HANG, FAULT, LEFT = "crash", "hang", "unclear error", "file left behind"


def run_one(stage, suffix: str, data: bytes, folder: str) -> Tuple[str, str]:
    """The verdict on one file, empty if it is as it should be, and what the stage said."""
    source, target, said = (os.path.join(folder, name) for name in (f"given{suffix}", "made", "said"))
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(source, "wb") as file:
        file.write(data)
    child = os.fork()
    if child == 0:
        code = 99
        try:
            output = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            code = stage(source, target, os.path.join(folder, "log"))
        finally:
            os._exit(code)
    status = _wait(child)
    with open(said, errors="replace") as file:
        text = file.read().strip()
    made = sorted(set(os.listdir(folder)) - {f"given{suffix}", "said", "log"})
    if status is None:
        return HANG, text
    if os.WIFSIGNALED(status):
        return CRASH, f"{signal.Signals(os.WTERMSIG(status)).name}; {text}"
    code = os.WEXITSTATUS(status)
    if made != (["made"] if code == 0 else []):
        return LEFT, f"exit code {code}, {made}"
    if code not in (0, 1) or errors.FAULT in text or "Traceback" in text or (code and ": error: " not in text):
        return FAULT, text
    return "", text


def _wait(child: int):
    deadline = time.monotonic() + SECONDS
    pause = 0.002
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(pause)
        pause = min(pause * 1.2, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def fuzz(count: int, seed: int, processors: int) -> List[Tuple[int, str, str, str]]:
    """Try ``count`` files; of each that is not as it should be its number, the stage, the verdict and what was said."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # TensorFlow Addons warns of the TensorFlow that it is pinned with.
    warnings.simplefilter("ignore")
    from develop.fuzzing import mutations, samples, stages

    networks, graphs, operators = samples.onnx_models(), samples.frozen_graphs(), samples.operator_models()
    kinds = [
        ("onnx_to_tf", ".onnx", lambda at: mutations.damaged_bytes(at, networks)),
        ("onnx_to_tf", ".onnx", lambda at: mutations.damaged_model(at, [*networks * 50, *operators])),
        ("tf_to_tflite", ".pb", lambda at: mutations.damaged_bytes(at, graphs)),
    ]
    found: List[Tuple[int, str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="ferry-fuzz-") as folder:
        workers: Dict[int, str] = {}
        for part in range(processors):
            results = os.path.join(folder, f"results-{part}")
            worker = os.fork()
            if worker == 0:
                try:
                    with open(results, "w") as file:
                        for number in range(part, count, processors):
                            name, suffix, damaged = kinds[(seed + number) % len(kinds)]
                            data = damaged(seed + number)
                            verdict, text = run_one(stages.STAGES[name], suffix, data, f"{folder}/{part}")
                            line = " ".join((text.splitlines() or [""])[0].split())
                            file.write(f"{number}\t{name}\t{verdict}\t{line}\n")
                            file.flush()
                finally:
                    os._exit(0)
            workers[worker] = results
        for worker, results in workers.items():
            os.waitpid(worker, 0)
            with open(results) as file:
                for line in file:
                    words = line.rstrip("\n").split("\t", 3)
                    found.append((int(words[0]), words[1], words[2], words[3]))
    return sorted(found)


def main() -> int:
    """Read the arguments, fuzz, and print what was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10000, help="how many files: of three, two are .onnx and one .pb")
    parser.add_argument("--seed", type=int, default=0, help="the first file's; the others count on from it")
    arguments = parser.parse_args()
    started = time.monotonic()
    results = fuzz(arguments.count, arguments.seed, len(os.sched_getaffinity(0)))
    bad = [entry for entry in results if entry[2]]
    for number, name, verdict, text in bad:
        print(f"fuzz: file {arguments.seed + number}: {name}: {verdict}: {text[:300]}")
    counts = Counter(entry[2] or "as it should be" for entry in results)
    summary = ", ".join(f"{times} {what}" for what, times in counts.most_common())
    print(f"fuzz: {len(results)} of {arguments.count} files in {time.monotonic() - started:.0f} s: {summary}")
    return 1 if bad or len(results) != arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())
