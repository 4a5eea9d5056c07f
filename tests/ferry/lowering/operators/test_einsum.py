import pytest
from onnx import helper

from converted import assert_converted
from ferry.tflite import flatbuffer
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
