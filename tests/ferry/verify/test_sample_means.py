import numpy as np
import pytest

from ferry.verify.sample_means import SampleMeans

pytestmark = pytest.mark.fast


def of(figures):
    made = SampleMeans(figures.shape[1:])
    made.add(figures)
    return made


def test_the_standard_error_is_that_of_means_drawn_at_random():
    generator = np.random.RandomState(0)
    population = generator.standard_exponential((400, 3))
    drawn = [of(population[generator.permutation(400)[:100]]) for _ in range(300)]
    seen = np.std([each.mean for each in drawn], axis=0)
    stated = np.mean([each.standard_error(400) for each in drawn], axis=0)
    np.testing.assert_allclose(stated, seen, rtol=0.15)


def test_parts_taken_in_apart_make_the_same():
    figures = np.random.RandomState(1).standard_normal((10, 4))
    parts = of(figures[:3])
    parts.merge(of(figures[3:]))
    np.testing.assert_allclose(parts.mean, figures.mean(axis=0))
    np.testing.assert_allclose(parts.standard_error(50), of(figures).standard_error(50))


def test_of_one_sample_nothing_is_known_and_of_all_everything():
    assert np.isinf(of(np.ones((1, 2))).standard_error(9)).all()
    assert (of(np.arange(6.0).reshape(3, 2)).standard_error(3) == 0).all()
