import pytest
from bench_documents import conversion, latency, of
from rich.console import Console

from develop.bench import document, tables

pytestmark = pytest.mark.fast


def printed(made):
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        for table in tables.of(made):
            console.print(table)
    return captured.get()


def row(text, *starts):
    (line,) = [line for line in text.splitlines() if line.startswith(" ".join(starts))]
    return line


def test_every_figure_is_in_a_row_of_its_own_within_80_columns():
    times = latency(ferry=[0.0101, 0.0099], keras=[0.01, 0.01], article=[0.1, 0.1])
    text = printed(of(times, ferry=document.conversion(conversion(1.5)), article=document.conversion(conversion(9.0))))
    assert row(text, "Ferry  ").split() == ["Ferry", "14.0", "MB", "70", "301", "M"]
    latencies = row(text, "Ferry, tensorflow 2.4.4, 1").split()[4:]
    assert latencies == ["10.0", "ms", "1.000", "(0.992", "to", "1.008)", "1.000"]
    assert row(text, "article, tensorflow 2.4.4, 1").split()[4:] == [
        "100.0",
        "ms",
        "10.0",
        "(10.0",
        "to",
        "10.0)",
        "10.0",
    ]
    assert row(text, "article, tf_to_tflite").split()[2:] == ["9.00", "s", "1.00", "s", "0.50", "s", "4.0", "MB"]
    assert row(text, "first").split() == ["first", "30.0", "s", "25.0", "s", "1.200", "500.0", "MB"]
    assert row(text, "again").split()[3:] == ["18.0", "s", "15.0", "s", "1.200", "400.0", "MB"]
    # And with the longest names.
    times = latency(nhwc=[0.1], keras=[0.1])._replace(runtime="ai-edge-litert 2.3.0", threads=64)
    assert "…" not in printed(of(times)) and "ai-edge-litert 2.3.0, 64 " in printed(of(times))
    assert max(len(line) for line in text.splitlines()) <= 80


def test_without_a_network_of_keras_the_yardstick_is_ferrys():
    text = printed(of(latency(ferry=[0.01], article=[0.1])))
    assert "÷ Ferry (p10 to p90)" in text
    assert "10.0 (10.0 to 10.0)" in row(text, "article, tensorflow 2.4.4")


def test_what_was_not_converted_is_a_row_of_dashes():
    assert row(printed(of(latency(ferry=[0.01]))), "article").split()[1:] == ["-"] * 4
