#!/usr/bin/env python3
"""Time the forms that TFLite can be given of grouped convolutions and other layers: what the lowerings rest on."""

import os
import statistics
import sys
import tempfile
from typing import Dict

from ferry import stage


def bench(arguments, console) -> int:
    """Print, for each layer and form, the median latency on one thread and its ratio to the first form's."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from rich.table import Table

    from develop.bench import forms, latency_in_turns

    pythons = [sys.executable, *([arguments.newest] if arguments.newest else [])]
    with tempfile.TemporaryDirectory(prefix="ferry-") as folder, open(os.devnull, "w") as log:
        for name, case in forms.cases().items():
            paths: Dict[str, str] = {}
            for form in case.forms:
                paths[form] = os.path.join(folder, f"{len(paths)}.tflite")
                with open(paths[form], "wb") as file:
                    file.write(forms.to_tflite(case, form))
            measured = [
                latency_in_turns.measure(python, paths, 1, arguments.rounds, log, lambda: None) for python in pythons
            ]
            table = Table("form", "KB", *(each.runtime for each in measured), title=name, title_justify="left")
            for form, path in paths.items():
                cells = [f"{os.path.getsize(path) / 1000:.0f}"]
                for each in measured:
                    own, first = (statistics.median(each.seconds[name]) for name in (form, next(iter(paths))))
                    cells.append(f"{own * 1e3:.2f} ms, {own / first:.2f}x")
                table.add_row(form, *cells)
            console.print(table)
    return 0


def main() -> int:
    """Read the arguments and run the benchmark."""
    parser = stage.parser("bench_forms", __doc__)
    parser.add_argument("--rounds", type=stage.count("ROUNDS"), default=48, metavar="N", help="inferences of each form")
    parser.add_argument("--newest", default="", metavar="PYTHON", help="an interpreter with the newest TFLite runtime")
    arguments = parser.parse_args()
    return stage.run("bench_forms", arguments, os.path.join("build", "bench_forms"), bench)


if __name__ == "__main__":
    sys.exit(main())
