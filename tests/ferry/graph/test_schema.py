import pytest

from ferry.graph import schema

pytestmark = pytest.mark.fast


def test_defaults_are_those_of_the_operator_set():
    assert schema.default("BatchNormalization", "epsilon") == pytest.approx(1e-5)
    assert schema.defaults("Resize", 10) == {"mode": "nearest"}
    assert schema.defaults("Resize", 11)["coordinate_transformation_mode"] == "half_pixel"
    assert schema.defaults("Conv") == {"auto_pad": "NOTSET", "group": 1}


def test_an_unknown_operator_has_none():
    assert schema.defaults("NoSuchOperator") == {}
