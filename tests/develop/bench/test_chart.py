"""What the chart shows; that it is drawn, and can be read, is in ``test_bench.py``."""

import pytest
from bench_documents import latency, of

from develop.bench import chart

pytestmark = pytest.mark.fast


def test_the_chart_shows_each_path_against_keras():
    made = of(latency(ferry=[0.01, 0.01], keras=[0.02, 0.02], article=[0.1, 0.1]))
    assert chart.yardstick_of(made) == "keras"
    assert chart.marks(made, "keras") == [
        chart.Mark("net\ntensorflow 2.4.4, 1 thread", "ferry", 0.5, 0.5, 0.5),
        chart.Mark("net\ntensorflow 2.4.4, 1 thread", "article", 5.0, 5.0, 5.0),
    ]


def test_without_a_network_of_keras_the_article_is_shown_against_ferry():
    made = of(latency(ferry=[0.01], article=[0.1]))
    assert chart.yardstick_of(made) == "ferry"
    assert [(mark.path, mark.median) for mark in chart.marks(made, "ferry")] == [("article", 10.0)]
