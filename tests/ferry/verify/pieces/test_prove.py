"""A runtime may refuse a probe; what Ferry's own code raises on the way to it is a fault in Ferry."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from ferry.bisect.side import Point
from ferry.evaluate.bounded import Bounded
from ferry.verify.pieces.probes import SEEN, Probe
from ferry.verify.pieces.prove import _Run
from onnx_models import model_of


class Side:
    """One piece, which ``compute`` computes."""

    def __init__(self, compute):
        self._compute = compute

    def opened(self, point, sources):
        return self._compute


def refused(_values):
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": [3]})
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": np.zeros(4, np.float32)})[0]


def take(compute, kind):
    made = _Run(Side(compute), Point("y", "y"), [Point("x", "x")])
    made.take(Probe(kind, {"x": np.zeros(4, np.float32)}), Bounded(np.zeros(4), np.zeros(4)))
    return made


def test_what_a_runtime_refuses_is_said_of_the_networks_own_values_alone():
    assert take(refused, SEEN).unjudged.startswith("its runtime refuses it: [ONNXRuntimeError]")
    assert take(refused, "random values").unjudged is None


@pytest.mark.parametrize("kind", [SEEN, "random values"])
def test_an_error_of_ferrys_own_is_not_passed_over(kind):
    with pytest.raises(KeyError):
        take(lambda values: {}["planted"], kind)
