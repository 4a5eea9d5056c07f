from itertools import product

import numpy as np
import pytest

from ferry.errors import UnsupportedModelError
from newer_models import assert_close, computed, normal

pytestmark = pytest.mark.fast

X, GRID = normal(1, 2, 3, 4, 6), np.clip(normal(2, 2, 5, 7, 2), -1.8, 1.8)


def reflected(place, low, high):
    span = high - low
    rest = abs(place - low) % span
    return (rest if int(abs(place - low) // span) % 2 == 0 else span - rest) + low


def sample(x, place, linear, padding):
    """The values of one sample ``x`` [C, …] at one place, by the definition."""
    corners = [[(int(np.floor(p)), 1 - p + np.floor(p)), (int(np.floor(p)) + 1, p - np.floor(p))] for p in place]
    if not linear:
        corners = [[(int(np.rint(p)), 1.0)] for p in place]
    total = np.zeros(len(x))
    for corner in product(*corners):
        where = [index for index, _ in corner]
        if all(0 <= index < size for index, size in zip(where, x.shape[1:])):
            total += x[(slice(None), *where)] * np.prod([weight for _, weight in corner])
        else:
            assert padding == "zeros" or np.prod([weight for _, weight in corner]) < 1e-9
    return total


def expected(x, grid, linear, padding, align):
    made = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for place in np.ndindex(*grid.shape[:-1]):
        exact = []
        for given, size in zip(reversed(grid[place].astype(np.float64)), x.shape[2:]):
            position = (given + 1) / 2 * (size - 1) if align else ((given + 1) * size - 1) / 2
            if padding == "reflection":
                position = reflected(position, 0 if align else -0.5, size - 1 if align else size - 0.5)
            exact.append(position if padding == "zeros" else min(max(position, 0), size - 1))
        made[(place[0], slice(None), *place[1:])] = sample(x[place[0]], exact, linear, padding)
    return made.astype(np.float32)


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_grid_sample(mode, padding, align):
    options = {"padding_mode": padding, "align_corners": align}
    made = computed("GridSample", 20, {"x": X, "g": GRID}, mode=mode, **options)[0]
    assert_close(made, expected(X, GRID, mode == "linear", padding, align))
    if mode == "linear":
        assert_close(computed("GridSample", 16, {"x": X, "g": GRID}, mode="bilinear", **options)[0], made)


def test_of_three_dimensions():
    x, grid = normal(3, 1, 2, 3, 4, 5), normal(4, 1, 2, 3, 2, 3) / 2
    assert_close(computed("GridSample", 20, {"x": x, "g": grid})[0], expected(x, grid, True, "zeros", 0))


def test_cubic_is_refused():
    with pytest.raises(UnsupportedModelError, match="GridSample 'it' of opset 20: it has the mode 'cubic'"):
        computed("GridSample", 20, {"x": X, "g": GRID}, mode="cubic")


@pytest.mark.parametrize("align", [0, 1])
def test_affine_grid(align):
    theta, sizes = normal(5, 2, 2, 3), np.array([2, 1, 3, 4], np.int64)
    made = computed("AffineGrid", 20, {"t": theta}, {"s": sizes}, align_corners=align)[0]
    ends = (1, 1) if align else (1 - 1 / 3, 1 - 1 / 4)
    rows, columns = np.linspace(-ends[0], ends[0], 3), np.linspace(-ends[1], ends[1], 4)
    for row, column in product(range(3), range(4)):
        place = np.array([columns[column], rows[row], 1], np.float32)
        np.testing.assert_allclose(made[:, row, column], theta @ place, atol=1e-6)
