"""The table of the user's variables, and what each may be."""

import pytest

from runners import variables
from runners.errors import RunnerError

pytestmark = pytest.mark.fast
DEFAULTS = {variable.name: variable.default for variable in variables.TABLE}


def test_each_variable_is_stated_once():
    names = [variable.name for variable in variables.TABLE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("given", ["", "int8", "0:nhwc", "0:nhwc 1:nchw"])
def test_io_is_a_dtype_or_layouts(given):
    variables.check({**DEFAULTS, "IO": given}, ["IO"])


def test_layouts_are_for_a_given_file_alone():
    with pytest.raises(RunnerError, match="of QUANT=int8 IO is float32 or int8"):
        variables.check({**DEFAULTS, "QUANT": "int8", "IO": "0:nhwc"}, ["QUANT", "IO"])


@pytest.mark.parametrize(("name", "value"), [("IO", "int4"), ("TARGET", "tflite"), ("TARGET", "phone")])
def test_another_value_is_refused_with_those_that_there_are(name, value):
    with pytest.raises(RunnerError, match=f"there is no {name} '{value}'; it is one of"):
        variables.check({**DEFAULTS, name: value}, [name])


def test_a_chip_of_int8_asks_for_it():
    with pytest.raises(RunnerError, match="TARGET=edgetpu takes int8 alone"):
        variables.check({**DEFAULTS, "TARGET": "edgetpu"}, ["QUANT", "TARGET"])
    variables.check({**DEFAULTS, "TARGET": "edgetpu", "QUANT": "int8"}, ["QUANT", "TARGET"])


def test_a_target_may_be_any_release():
    variables.check({**DEFAULTS, "TARGET": "tflite-2.10"}, ["TARGET"])
