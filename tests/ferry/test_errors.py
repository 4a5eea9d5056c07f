import json
import string

import pytest

from ferry.errors import InputFileError, UnsupportedModelError, foreign_errors, place_of

pytestmark = pytest.mark.fast


def test_what_a_library_refuses_is_the_users_in_its_words():
    message = "^the model: JSON refuses it: Expecting value: line 1"
    with pytest.raises(UnsupportedModelError, match=message), foreign_errors("the model: JSON refuses it", "json"):
        json.loads("?")


def test_the_kind_of_error_is_the_callers_choice():
    with pytest.raises(InputFileError), foreign_errors("the file", "json", error_class=InputFileError):
        json.loads("?")


def test_a_key_alone_says_what_it_is():
    message = "^the model: KeyError: 'missing'$"
    with pytest.raises(UnsupportedModelError, match=message), foreign_errors("the model", "string"):
        string.Template("$missing").substitute({})


def test_what_is_raised_here_passes_as_it_is():
    with pytest.raises(KeyError, match="planted"), foreign_errors("the model", "json"):
        raise KeyError("planted")


def test_what_ferrys_code_raises_below_the_library_passes_as_it_is():
    """A library that calls back into Ferry is not to blame for what goes wrong there."""

    class Broken(dict):
        def items(self):
            return place_of(3)  # type: ignore[arg-type]

    with pytest.raises(AttributeError, match="'int' object has no attribute"), foreign_errors("the model", "json"):
        json.dumps(Broken(a=1), indent=1)


@pytest.mark.parametrize("error", [OSError("disk"), MemoryError()])
def test_the_machines_own_troubles_are_nobodys(error):
    with pytest.raises(type(error)), foreign_errors("the model", "json"):
        raise error


def test_the_place_of_a_fault_is_ferrys_innermost_line():
    with pytest.raises(AttributeError) as raised:
        place_of(3)  # type: ignore[arg-type]
    assert place_of(raised.value).startswith("ferry/errors.py:")
    with pytest.raises(ValueError) as raised_outside:
        json.loads("?")
    assert place_of(raised_outside.value) == ""
