import numpy as np
import pytest
from onnx import helper

from converted import assert_converted, run_graph, run_tflite
from ferry.lowering import convert_onnx
from ferry.tflite import converter, flatbuffer
from onnx_models import model_of, normal

SIZES = {"b": 2, "h": 3, "i": 4, "j": 5, "d": 6, "k": 7}


@pytest.mark.parametrize(
    "equation",
    [
        "bhid,bhjd->bhij",
        "bhij,bhjd->bhid",
        "ij,jk->ik",
        "ij,jk",
        "bij,jk->bik",
        "i,j->ij",
        "ij->ji",
        "bij->j",
        "bij,bij->b",
        "bid,jd->jbi",
        "bij, bj -> bi",
    ],
)
def test_as_onnx_runtime(equation):
    operands = equation.replace(" ", "").split("->")[0].split(",")
    names = ["x", "z"][: len(operands)]
    feeds = {
        name: normal(seed, *(SIZES[letter] for letter in term))
        for seed, (name, term) in enumerate(zip(names, operands))
    }
    node = helper.make_node("Einsum", names, ["y"], equation=equation)
    model = model_of([node], {name: list(array.shape) for name, array in feeds.items()}, opset=12)
    data = assert_converted(model, feeds)
    assert not flatbuffer.flex_operators(flatbuffer.operators(data))


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("...ij,...jk->...ik", [(2, 3, 4, 5), (2, 3, 5, 6)]),
        ("...ij,jk->...ik", [(2, 3, 4), (4, 5)]),
        ("...ij,...jk", [(2, 1, 4, 5), (3, 5, 6)]),
        ("b...i,ij->b...j", [(2, 3, 4, 5), (5, 6)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
        ("bi,bj,bk->bijk", [(2, 3), (2, 4), (2, 5)]),
        ("bij,bj,j->bi", [(2, 3, 4), (2, 4), (4,)]),
        ("...i,...i->...", [(2, 3, 4), (2, 3, 4)]),
        ("ii->i", [(4, 4)]),
        ("bii->b", [(3, 4, 4)]),
        ("ii,ij->j", [(4, 4), (4, 2)]),
    ],
)
def test_ellipses_repeated_letters_and_three_operands(equation, shapes):
    feeds = {f"x{seed}": normal(seed, *shape) for seed, shape in enumerate(shapes)}
    node = helper.make_node("Einsum", list(feeds), ["y"], equation=equation)
    expected = np.einsum(equation, *(array.astype(np.float64) for array in feeds.values()))
    # ONNX Runtime 1.4 has no diagonals: NumPy says what is right.
    inputs = [helper.make_tensor_value_info(name, 1, array.shape) for name, array in feeds.items()]
    graph = helper.make_graph([node], "einsum", inputs, [helper.make_tensor_value_info("y", 1, expected.shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)])
    graph_def = convert_onnx.convert(model)
    data = converter.convert(graph_def, allow_flex=False)
    for computed in (run_graph(graph_def, feeds), run_tflite(data, feeds)):
        np.testing.assert_allclose(computed[0], expected, rtol=0, atol=2e-6 * np.abs(expected).max())
