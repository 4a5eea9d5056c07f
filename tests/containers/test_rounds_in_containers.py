"""Several makes of one model at once, in containers."""

import pytest
import rounds

pytestmark = pytest.mark.slow


def test_two_makes_at_once(engine, image, checkout):
    rounds.two_makes(checkout, engine.name, rounds.rounds(2))


def test_two_verifications_at_once(engine, image, checkout):
    rounds.two_verifications(checkout, engine.name, rounds.rounds(1))
