#!/usr/bin/env python3
"""Try verification as a detector: correct networks that must pass, and planted faults that must not."""

import argparse
import os
import sys
import tempfile
import time

SAMPLES, SEEDS = (10, 100), 3


def main() -> int:
    """Read the arguments, try them all, write the page; 1 if a correct network failed or a fault was missed."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(prog="detect", description=__doc__)
    parser.add_argument("--output", required=True, metavar="FILE.md", help="the page to write")
    parser.add_argument("--network", action="append", metavar="NAME", help="only this one; may be said again")
    arguments = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from rich import console, progress

    from develop.detection import detection_table, networks
    from ferry import atomic_file

    terminal = console.Console(highlight=False, soft_wrap=True)
    chosen = [
        path for path in networks.correct() if not arguments.network or networks.name_of(path) in arguments.network
    ]
    correct, trials = [], []
    with tempfile.TemporaryDirectory() as folder, progress.Progress(
        console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bar:
        task = bar.add_task("detect", total=len(chosen))
        for path in chosen:
            one, found = try_network(path, os.path.join(folder, networks.name_of(path)))
            correct.append(one)
            trials += found
            bar.advance(task)
    how = f"with {' and '.join(str(samples) for samples in SAMPLES)} random inputs of {SEEDS} seeds"
    atomic_file.write_bytes(arguments.output, detection_table.as_markdown(correct, how, trials).encode())
    failed, missed = sum(each.failed for each in correct), detection_table.misses(trials)
    terminal.print(
        f"detect: {failed} of {sum(each.runs for each in correct)} correct verifications failed, "
        f"{sum(trial.caught for trial in trials)} of {len(trials)} faults caught, {len(missed)} missed, in "
        f"{time.monotonic() - started:.0f} s; {arguments.output}",
        markup=False,
    )
    return int(bool(failed or missed))


def try_network(path: str, folder: str):
    """What comes of the network of the model file ``path``, right and with each fault; files go to ``folder``."""
    from develop.detection import detection_table, networks, planted
    from ferry.worker import Worker

    name, build, trials = networks.name_of(path), os.path.join(folder, "build"), []
    os.makedirs(build)
    networks.convert(path, build)
    failed = 0
    worker = Worker("detect", planted.Planted, name, path, build)
    try:
        stages = worker.answer()
        for seed in range(SEEDS):
            inputs = os.path.join(folder, f"{seed}.npz")
            worker.call("example", seed, max(SAMPLES), inputs)
            for samples in SAMPLES:
                output = os.path.join(folder, f"{seed}-{samples}")
                os.mkdir(output)
                failed += networks.verify(path, build, output, inputs, samples) != 0
        if name in networks.PLANTED:
            for stage in stages:
                trials += worker.call("trials", stage, 0)
    finally:
        worker.close()
    return detection_table.Correct(name, SEEDS * len(SAMPLES), failed), trials


if __name__ == "__main__":
    sys.exit(main())
