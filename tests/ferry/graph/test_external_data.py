import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ferry.errors import InputFileError
from ferry.graph import external_data

pytestmark = pytest.mark.fast

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def model(**given):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL)
    for key, value in given.items():
        tensor.external_data.add(key=key, value=str(value))
    info = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])
    graph = helper.make_graph([helper.make_node("Neg", ["w"], ["y"])], "g", [], [info], [tensor])
    return helper.make_model(graph)


def test_weights_beside_the_model_are_read(tmp_path):
    (tmp_path / "m.onnx.data").write_bytes(b"skip" + WEIGHT.tobytes() + b"more")
    made = model(location="m.onnx.data", offset=4, length=24)
    read = external_data.load(str(tmp_path / "m.onnx"), made)
    assert read == {str(tmp_path / "m.onnx.data")}
    np.testing.assert_array_equal(numpy_helper.to_array(made.graph.initializer[0]), WEIGHT)
    onnx.checker.check_model(made)


def test_without_an_offset_and_a_length_it_is_the_whole_file(tmp_path):
    (tmp_path / "w").write_bytes(WEIGHT.tobytes())
    made = model(location="w")
    external_data.load(str(tmp_path / "m.onnx"), made)
    np.testing.assert_array_equal(numpy_helper.to_array(made.graph.initializer[0]), WEIGHT)


@pytest.mark.parametrize("location", ["", "../w", "a/../../w", "/etc/passwd", "a\\..\\..\\w"])
def test_a_file_elsewhere_is_not_opened(tmp_path, location):
    (tmp_path / "w").write_bytes(WEIGHT.tobytes())
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputFileError, match="is no file below the model's own folder"):
        external_data.load(str(tmp_path / "folder" / "m.onnx"), model(location=location))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"location": "none"}, "'none' beside it, and that cannot be read: No such file"),
        ({"location": "a\0b"}, "cannot be read"),
        ({"location": "w", "offset": 8, "length": 24}, "holds 24 bytes, and 'w' reaches beyond them"),
        ({"location": "w", "offset": -8}, "reaches beyond them"),
        ({"location": "w", "offset": "x"}, "is no number"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path, given, said):
    (tmp_path / "w").write_bytes(WEIGHT.tobytes())
    with pytest.raises(InputFileError, match=said):
        external_data.load(str(tmp_path / "m.onnx"), model(**given))
