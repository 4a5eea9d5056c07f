import pytest

from ferry.errors import InputFileError
from ferry.tflite import flatbuffer


def test_operators_are_counted(mobilenet):
    count = flatbuffer.operators(flatbuffer.load(str(mobilenet / "model.tflite")))
    assert count["ADD"] == 10
    assert count["FULLY_CONNECTED"] == 1


@pytest.mark.parametrize("kept", [0, 7, 8, 20, 1000, 100_000, 5_000_000, -1000, -4])
def test_a_file_cut_short_anywhere_is_an_error_and_no_crash(mobilenet, tmp_path, kept):
    data = (mobilenet / "model.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(data[:kept])
    with pytest.raises(InputFileError, match="cut short or damaged|is not a TFLite model"):
        flatbuffer.load(str(tmp_path / "cut.tflite"))


def test_flex_operators_go_by_tensorflows_names():
    assert flatbuffer.flex_operators({"ADD": 2, "FlexErf": 1}) == {"Erf": 1}
