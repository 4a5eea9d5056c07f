"""The verdict on a quantized file on a terminal: float beside quantized, what is wrong, and one line of it all."""

from typing import List

from rich.table import Table

from ferry.printable import printable
from ferry.reports import figures
from ferry.verify.quantized.quantized_verdict import QuantizedVerdict


def table(verdict: QuantizedVerdict) -> Table:
    """The float file and the quantized one, a row each."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("file")
    for heading in ("size", "mean abs error", "SQNR", "centred SQNR", "top-1 agrees"):
        made.add_column(heading, justify="right")
    made.add_column("verdict")
    for name, file in verdict.files.items():
        word = "" if name == "float" else "[green]passed[/]" if verdict.passed else "[red]failed[/]"
        made.add_row(
            printable(name),
            figures.size(file.bytes),
            figures.scientific(file.mean_abs_error),
            figures.decibels(file.sqnr_db),
            figures.decibels(file.centred_sqnr_db),
            figures.share(file.top1_agreement),
            word,
        )
    return made


def lines(verdict: QuantizedVerdict, path: str) -> List[str]:
    """What is said below the table: a line a fault, what else there is to know, and the verdict in ``path``."""
    said = [f"{verdict.quant}: {fault}" for fault in verdict.faults]
    judged = [each for each in verdict.fidelity if each.ratio is not None]
    if judged and verdict.passed:
        worst = max(judged, key=lambda each: each.ratio or 0.0)
        said.append(
            f"{verdict.quant}: each of {len(judged)} operators does what its steps say; the worst, {worst.operator} "
            f"({worst.name}), is off by {worst.ratio:.2f} times what an ideal quantizer is"
        )
    for output in verdict.outputs:
        if output.ratio is not None:
            said.append(f"{verdict.quant}: {output.name} is off by {output.ratio:.2f} times what the scheme costs")
    for each in verdict.decisions:
        low, high = each.interval
        said.append(
            f"{verdict.quant}: {each.output} decides as the float model on {each.agreed} of {each.count} inputs, "
            f"{each.agreement:.1%} (95 % interval {low:.1%} to {high:.1%}); {each.sure_flips} flips are beyond noise"
        )
    if verdict.metric is not None:
        said.append(
            f"{verdict.quant}: get_metric() gives {verdict.metric.quantized:.4g}, and {verdict.metric.floating:.4g} "
            "for the float model"
        )
    word = "passed" if verdict.passed else "FAILED"
    whole = f"{word}: {verdict.samples} inputs against PyTorch in {verdict.seconds or 0:.1f} s; {path}"
    return [f"verify: {line}" for line in (*said, *verdict.notes, whole)]
