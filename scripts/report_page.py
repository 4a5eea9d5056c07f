#!/usr/bin/env python3
"""Write the page and the JUnit file of a ``report.json``, as verify does, once more."""

import os

from ferry import stage


def write(arguments, console) -> int:
    """Write ``report.html`` and ``report.junit.xml`` beside ``arguments.report``."""
    from ferry.reports import files, json_report

    for path in files.write_views(os.path.dirname(arguments.report), json_report.load(arguments.report)):
        console.print(f"report_page: {path}", markup=False)
    return 0


def main() -> int:
    """Read the arguments and run the program."""
    parser = stage.parser("report_page", __doc__)
    parser.add_argument("--report", required=True, metavar="FILE.json", help="the report that verify wrote")
    arguments = parser.parse_args()
    return stage.run("report_page", arguments, arguments.report, write)


if __name__ == "__main__":
    stage.leave(main())
