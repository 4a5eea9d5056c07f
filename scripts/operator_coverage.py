#!/usr/bin/env python3
"""Carry onnx's own tests of its operators to TensorFlow and TFLite, and write a table of what became of them."""

import argparse
import os
import sys
import time

# The longest case takes a few seconds; a stage that hangs must not keep the others waiting for long.
TIMEOUT_S = 120


def carry_one(case):
    """Carry one case in a worker process; return its outcome."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import onnx_to_tf
    import tf_to_tflite

    from develop.operator_coverage import carry

    return carry.carry(case, {"onnx_to_tf": onnx_to_tf.main, "tf_to_tflite": tf_to_tflite.main})


def outcomes(chosen, advance=lambda: None):
    """Carry the cases ``chosen``, side by side, and return each with its outcome."""
    from develop.operator_coverage import outcome, workers

    rows = []
    for case, answer in zip(chosen, workers.run_all(carry_one, chosen, len(os.sched_getaffinity(0)), TIMEOUT_S)):
        died = isinstance(answer, workers.Died)
        rows.append((case, outcome.Outcome(outcome.WRONG, outcome.WRONG, answer.how) if died else answer))
        advance()
    return rows


def main() -> int:
    """Read the arguments, carry the cases, write the table; 1 if any is WRONG."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(prog="operator_coverage", description=__doc__)
    parser.add_argument("--output", required=True, metavar="FILE.md", help="the table to write")
    parser.add_argument("--operator", action="append", metavar="NAME", help="only this one; may be said again")
    arguments = parser.parse_args()
    from rich import console, progress

    from develop.operator_coverage import cases, exported, outcome, table
    from ferry import atomic_file

    every = cases.all_cases()
    chosen = [case for case in every if not arguments.operator or case.operator in arguments.operator]
    terminal = console.Console(highlight=False, soft_wrap=True)
    with progress.Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("coverage", total=len(chosen))
        rows = outcomes(chosen, lambda: bar.advance(task))
    text = table.as_markdown(rows, exported.exported_operators())
    atomic_file.write_bytes(arguments.output, text.encode())
    wrong = sum(row.tflite == outcome.WRONG for _, row in rows)
    verdict = f"{wrong} WRONG" if wrong else "none wrong"
    seconds = time.monotonic() - started
    terminal.print(f"coverage: {arguments.output} ({len(rows)} cases, {verdict}) in {seconds:.1f} s", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
