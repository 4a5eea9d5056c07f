#!/usr/bin/env python3
"""Measure how fast converted models are against Keras's own networks and against the article's path, and how fast they
are made."""

import os
import sys

from ferry import stage


def bench(arguments, console) -> int:
    """Measure each model file of ``arguments.model``; write ``bench.json`` and a chart beside it."""
    from rich import progress

    from develop.bench import benchmark, tables

    bar = progress.Progress(
        progress.TextColumn("bench"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    settings = benchmark.Settings(
        models={os.path.splitext(os.path.basename(path))[0]: path for path in arguments.model},
        target=arguments.output,
        rounds=arguments.rounds,
        conversion_rounds=arguments.conversion_rounds,
        samples=arguments.samples,
        newest=arguments.newest or None,
    )
    with bar:
        task = bar.add_task("", total=benchmark.steps(settings))

        def advance(what: str) -> None:
            bar.update(task, description=what, advance=1)

        made = benchmark.measure(settings, advance)
    for table in tables.of(made):
        console.print(table)
        console.print()
    for line in benchmark.remarks(made):
        console.print(f"bench: {line}", markup=False)
    chart = benchmark.draw(settings, made)
    files = f"{arguments.output} and {chart}" if chart else arguments.output
    console.print(f"bench: {settings.rounds} rounds; the figures are in {files}", markup=False)
    return 0


def main() -> int:
    """Read the arguments and run the benchmark."""
    parser = stage.parser("bench", __doc__)
    parser.add_argument("--model", required=True, action="append", metavar="FILE.py", help="a model file; repeatable")
    parser.add_argument("--output", required=True, metavar="FILE.json", help="where the figures go")
    parser.add_argument(
        "--rounds", type=stage.count("ROUNDS"), default=48, metavar="N", help="inferences of each model"
    )
    parser.add_argument(
        "--conversion-rounds",
        type=stage.count("--conversion-rounds"),
        default=5,
        metavar="N",
        help="conversions of each",
    )
    parser.add_argument("--samples", type=stage.count("SAMPLES"), default=1000, metavar="N", help="inputs to verify")
    parser.add_argument("--newest", default="", metavar="PYTHON", help="an interpreter with the newest TFLite runtime")
    arguments = parser.parse_args()
    return stage.run("bench", arguments, arguments.output, bench)


if __name__ == "__main__":
    sys.exit(main())
