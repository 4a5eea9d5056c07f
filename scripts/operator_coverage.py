#!/usr/bin/env python3
"""Convert onnx's own tests of its operators to TensorFlow and TFLite, and write a table of what became of them."""

import argparse
import os
import sys
import time

# The longest case takes a few seconds; a stage that hangs must not keep the others waiting for long.
TIMEOUT_S = 120


def convert_one(case):
    """Convert one case in a worker process; return its outcome."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import onnx_to_tf
    import tf_to_tflite

    from develop.operator_coverage import convert_case

    return convert_case.convert(case, {"onnx_to_tf": onnx_to_tf.main, "tf_to_tflite": tf_to_tflite.main})


def judge_one(folder):
    """Write one test of the newest onnx in opset 12's terms in a worker process; return what became of it."""
    from develop.operator_coverage import newer_opsets

    return newer_opsets.judge(folder)


def outcomes(chosen, advance=lambda: None):
    """Convert the cases ``chosen``, side by side, and return each with its outcome."""
    from develop.operator_coverage import outcome

    rows = []
    for case, answer, died in _side_by_side(convert_one, chosen, advance):
        rows.append((case, outcome.Outcome(outcome.WRONG, outcome.WRONG, answer.how) if died else answer))
    return rows


def results(folders, advance=lambda: None):
    """Judge the newest onnx's tests in ``folders``, side by side."""
    from develop.operator_coverage import newer_opsets

    rows = []
    for folder, answer, died in _side_by_side(judge_one, folders, advance):
        name = os.path.basename(folder)
        rows.append(newer_opsets.Result(name, name, 0, newer_opsets.WRONG, answer.how) if died else answer)
    return rows


def _side_by_side(function, jobs, advance):
    from develop.operator_coverage import workers

    for job, answer in zip(jobs, workers.run_all(function, jobs, len(os.sched_getaffinity(0)), TIMEOUT_S)):
        yield job, answer, isinstance(answer, workers.Died)
        advance()


def main() -> int:
    """Read the arguments, convert the cases, write the table; 1 if any is WRONG."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(prog="operator_coverage", description=__doc__)
    parser.add_argument("--output", required=True, metavar="FILE.md", help="the table to write")
    parser.add_argument("--operator", action="append", metavar="NAME", help="only this one; may be said again")
    parser.add_argument("--newest", metavar="FOLDER", help="instead, the tests of the newest onnx that are in FOLDER")
    arguments = parser.parse_args()
    from rich import console, progress

    from develop.operator_coverage import cases, exported, newer_opsets, newer_table, outcome, table
    from ferry import atomic_file, errors

    terminal = console.Console(highlight=False, soft_wrap=True)
    with progress.Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("coverage", total=None)
        if arguments.newest:
            made = results(newer_opsets.tests_in(arguments.newest), lambda: bar.advance(task))
            text = newer_table.as_markdown(made)
            wrong = [row.reason for row in made if row.outcome == newer_opsets.WRONG]
        else:
            every = cases.all_cases()
            chosen = [case for case in every if not arguments.operator or case.operator in arguments.operator]
            rows = outcomes(chosen, lambda: bar.advance(task))
            text = table.as_markdown(rows, exported.exported_operators())
            wrong, made = [row.reason for _, row in rows if row.tflite == outcome.WRONG], rows
    atomic_file.write_bytes(arguments.output, text.encode())
    verdict = f"{len(wrong)} WRONG" if wrong else "none wrong"
    faults = sum(reason.startswith(errors.FAULT) for reason in wrong)
    verdict += f", {faults} by a fault in Ferry" if faults else ""
    seconds = time.monotonic() - started
    terminal.print(f"coverage: {arguments.output} ({len(made)} cases, {verdict}) in {seconds:.1f} s", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
