#!/usr/bin/env python3
"""Put the reports of many verified models into one table."""

import json
import os
import sys

from ferry import stage

# What a page is about, by its file's name.
TITLES = {
    "zoo.md": """\
# The zoo

Every model of torchvision 0.6.1, in `models/zoo/`: weights drawn at random with a seed, and the statistics of the batch
norms taken from what passes through them. `make zoo` converts them all, verifies them and writes this file.
""",
    "zoo2020.md": """\
# The zoo of 2020

Models of packages that people brought to TFLite in 2019 to 2021, in `models/zoo2020/`: classification, segmentation,
detection, faces and poses, super resolution, video and volumes, vision transformers, mixers, text, long text, audio,
recommenders, tables, time series, graphs. They are small, with weights drawn at random with a seed, and the statistics
of the batch norms taken from what passes through them. `make zoo2020` installs the packages of
`models/zoo2020/requirements.txt`, converts and verifies the models one after the other, and writes this file.
""",
    "zoo-today.md": """\
# The zoo of today

Networks as they are written for PyTorch 2, in `models/zoo_today/`: each is the architecture of its name, written out in
plain PyTorch, small, with weights drawn at random with a seed. `make zoo-today` converts them with `TORCH=2`, verifies
them against PyTorch 2 in float64 and writes this file.
""",
}
HEAD = """
| column | meaning |
| --- | --- |
| error | TFLite's mean absolute error against PyTorch in float64, as a share of the outputs' mean magnitude |
| rounding | that error in multiples of what PyTorch's own float32 is off by |
| operators | of the TFLite model; Flex names those that are TensorFlow's own |
| inputs | how many it was verified on |
| ms | one inference in TFLite on one thread, the median, on the machine that the table was made on, busy as it was |
| s | the whole verification |

"""
COLUMNS = "| model | verdict | error | rounding | operators | Flex | MB | inputs | ms | s |\n" + "| --- " * 10 + "|\n"


def write(arguments, console) -> int:
    """Write the table to ``arguments.output``; 1 if a model failed or has no report."""
    from ferry import atomic_file

    refused = load(os.path.join(arguments.build, "refused.json")) or {}
    found = {name: load(os.path.join(arguments.build, name, "report.json")) for name in arguments.models}
    # What an earlier run left of a model is no report on one that does not convert any more.
    reports = {name: None if "error: " in refused.get(name, "") else report for name, report in found.items()}
    unknown = [name for name, report in reports.items() if report is None and name not in refused]
    table = as_markdown({name: report for name, report in reports.items() if name not in unknown}) + reasons(refused)
    table += f"\nNo run so far of {len(unknown)}: {', '.join(unknown)}.\n" if unknown else ""
    title = TITLES.get(os.path.basename(arguments.output), "")
    atomic_file.write_bytes(arguments.output, f"{title}{HEAD}{table}".encode())
    console.print(table.rstrip(), markup=False)
    passed = sum(bool(report and report["passed"]) for report in reports.values())
    console.print(f"zoo: {passed} of {len(reports)} models passed; {arguments.output}", markup=False)
    return 0 if passed == len(reports) else 1


def main() -> int:
    """Read the arguments and run the program."""
    parser = stage.parser("zoo_table", __doc__)
    parser.add_argument("--build", required=True, metavar="FOLDER", help="where each model has its folder")
    parser.add_argument("--output", required=True, metavar="FILE.md", help="the table to write")
    parser.add_argument("models", nargs="+", metavar="MODEL")
    arguments = parser.parse_args()
    return stage.run("zoo_table", arguments, arguments.output, write)


def load(path):
    """The report in ``path``; ``None`` where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def as_markdown(reports) -> str:
    """The table for the ``reports`` by model, in their order."""
    return COLUMNS + "".join(row(name, report) for name, report in reports.items())


def reasons(refused) -> str:
    """The line that each model was refused with, or that says why it failed."""
    return "".join(["\n", *(f"- {name}: `{line}`\n" for name, line in sorted(refused.items()))] if refused else [])


def row(name, report) -> str:
    """One model's line."""
    lite = report["stages"].get("tflite") if report else None
    if lite is None:
        return f"| {name} | {'no report' if report is None else 'not verified'} " + "| " * 8 + "|\n"
    distances = [output["against_reference"] for output in lite["outputs"].values()]
    error = max((each["relative"]["mean"] for each in distances if each), default=None)
    operators = lite["operators"] or {}
    flex = ", ".join(f"{kind[4:]} ({count})" for kind, count in sorted(operators.items()) if kind.startswith("Flex"))
    cells = [
        name,
        "passed" if report["passed"] else "FAILED",
        "" if error is None else f"{error:.1e}",
        "" if lite["noise_multiple"] is None else f"{lite['noise_multiple']:.2f}",
        str(sum(operators.values())),
        flex,
        f"{lite['artifact']['bytes'] / 1e6:.1f}",
        str(report["samples"]),
        f"{lite['latency']['milliseconds']['median']:.1f}",
        f"{report['seconds']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |\n"


if __name__ == "__main__":
    sys.exit(main())
