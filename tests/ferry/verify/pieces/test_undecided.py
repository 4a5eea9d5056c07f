"""Choices between values that float32 cannot tell apart, and what is left of an error when they are granted."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.bisect.onnx_side import OnnxSide
from ferry.verify.pieces.region import Regions
from ferry.verify.pieces.undecided import undecided

pytestmark = pytest.mark.fast

VALUES = np.random.RandomState(0).permutation(32).astype(np.float32)


def model(factor, kind="TopK", shift=1000.0):
    """The largest of ``x * 1e-7 + shift``, and what stands at their places in ``x``, times ``factor``."""
    chosen = {
        "TopK": [helper.make_node("TopK", ["s", "k"], ["best", "i"], name="top")],
        "ArgMax": [helper.make_node("ArgMax", ["s"], ["i"], axis=1, name="top")],
        "Greater": [
            helper.make_node("Greater", ["s", "middle"], ["high"], name="top"),
            helper.make_node("Cast", ["high"], ["i"], to=TensorProto.INT64, name="cast"),
        ],
    }[kind]
    nodes = [
        helper.make_node("Mul", ["x", "small"], ["m"], name="mul"),
        helper.make_node("Add", ["m", "shift"], ["s"], name="add"),
        *chosen,
        helper.make_node("Gather", ["x", "i"], ["p"], axis=1, name="pick"),
        helper.make_node("Mul", ["p", "factor"], ["y"], name="last"),
    ]
    arrays = {
        "small": np.float32(1e-7), "shift": np.float32(shift), "k": np.array([8]), "factor": np.float32(factor),
        "middle": np.float32(np.float64(np.float32(1e-7)) * 15.5 + shift),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    made.ir_version = 6
    return made


def found(of_side, of_reference):
    return undecided(Regions(of_reference), OnnxSide(of_side), {"x": VALUES[None]})


@pytest.mark.parametrize("kind", ["TopK", "ArgMax", "Greater"])
def test_a_choice_that_hangs_on_rounding_is_named_and_granted(kind):
    made = found(model(3.0, kind), model(3.0, kind))
    assert [(choice.node, choice.operator, choice.tensor) for choice in made.choices] == [("top", kind, "s")]
    assert 0 < made.choices[0].differing <= made.choices[0].count
    assert made.choices[0].share < 1e-7
    assert made.outputs == {"y": pytest.approx(0, abs=1e-7)}


def test_what_is_wrong_beside_it_is_left():
    assert found(model(3.3), model(3.0)).outputs["y"] == pytest.approx(0.1, rel=1e-3)


def test_values_that_float32_tells_apart_are_no_choice():
    assert found(model(3.0, shift=0.0), model(3.0, shift=0.0)) is None


def test_an_argument_that_is_wrong_itself_is_no_rounding():
    assert found(model(3.0, shift=1000.0), model(3.0, shift=1001.0)) is None
