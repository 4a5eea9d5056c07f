"""How the tensors of another converter's file are found to be PyTorch's."""

import numpy as np
import pytest

from ferry.errors import VerificationError
from ferry.runtimes import TensorSpec
from ferry.runtimes.arrangement import Arrangement, Place, layouts, to_ours, to_theirs
from ferry.verify.given_file import matching

pytestmark = pytest.mark.fast
SCORES = TensorSpec("scores", (1, 10), np.dtype(np.float32))


def spec(*shape, name="x", dtype=np.float32):
    return TensorSpec(name, shape, np.dtype(dtype))


def never(_arrangement):
    raise AssertionError("the shapes alone decide")


@pytest.mark.parametrize(
    ("ours", "theirs", "fitting"),
    [
        ((1, 3, 8, 8), (1, 3, 8, 8), ["nchw"]),
        ((1, 3, 8, 8), (1, 8, 8, 3), ["nhwc"]),
        ((1, 3, 8, 8), (8, 8, 3), ["nhwc-no-batch"]),
        ((1, 3, 8, 8), (3, 8, 8), ["nchw-no-batch"]),
        ((1, 4, 4, 4), (1, 4, 4, 4), ["nchw", "nhwc"]),
        ((1, 1, 8, 8), (1, 8, 8, 1), ["nhwc"]),
        ((1, 4, 1, 1), (1, 1, 1, 4), ["nhwc"]),
        ((1, 5), (5,), ["nchw-no-batch"]),
        ((2, 5), (5,), []),
        ((1, 6, 7), (1, 7, 6), ["nhwc"]),
        ((1, 3, 8, 8), (1, 8, 3, 8), []),
    ],
)
def test_the_layouts_that_shapes_leave_open(ours, theirs, fitting):
    assert layouts(spec(*ours), spec(*theirs)) == fitting
    for layout in fitting:
        array = np.arange(np.prod(ours), dtype=np.float32).reshape(ours)
        moved = to_theirs(array, layout, np.float32)
        assert moved.shape == theirs
        np.testing.assert_array_equal(to_ours(moved, layout, ours, np.float32), array)


def test_nhwc_is_what_its_name_says():
    image = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(to_theirs(image, "nhwc", np.float32), image.transpose(0, 2, 3, 1))


def test_tokens_may_be_of_a_narrower_integer_and_nothing_else_may():
    assert layouts(spec(1, 7, dtype=np.int64), spec(1, 7, dtype=np.int32)) == ["nchw"]
    assert layouts(spec(1, 7, dtype=np.int64), spec(1, 7)) == []
    assert layouts(spec(1, 7), spec(1, 7, dtype=np.int8)) == []


def test_names_come_before_order_with_what_converters_put_around_them():
    ours = [spec(1, 4, name="left"), spec(1, 4, name="right")]
    theirs = [spec(1, 4, name="serving_default_right:0"), spec(1, 4, name="serving_default_left:0")]
    found = matching.find(ours, [SCORES], theirs, [SCORES], never)
    assert [place.position for place in found.arrangement.inputs] == [1, 0]
    assert "by name" in found.how


def test_without_names_the_order_counts_and_then_the_shapes():
    ours = [spec(1, 4, name="a"), spec(1, 6, name="b")]
    turned = [spec(1, 6, name="args_0"), spec(1, 4, name="args_1")]
    found = matching.find(ours, [SCORES], turned, [spec(1, 10, name="Identity")], never)
    assert [place.position for place in found.arrangement.inputs] == [1, 0]
    assert "inputs by shape, outputs in order" in found.how


def test_the_values_decide_where_shapes_do_not():
    def tried(arrangement):
        return 1e-6 if arrangement.inputs[0].layout == "nhwc" else 0.9

    found = matching.find([spec(1, 4, 4, 4)], [SCORES], [spec(1, 4, 4, 4)], [SCORES], tried)
    assert found.arrangement == Arrangement((Place(0, "nhwc"),), (Place(0, "nchw"),))
    assert "by values" in found.how


def test_what_the_values_leave_open_is_an_error_that_lists_the_choices():
    ours = [spec(1, 4, 4, 4)]
    with pytest.raises(VerificationError, match='IO="0:nchw 1:nchw" or IO="0:nhwc 1:nchw"'):
        matching.find(ours, [SCORES], ours, [SCORES], lambda _: 0.5)
    found = matching.find(ours, [SCORES], ours, [SCORES], never, "0:nhwc")
    assert found.arrangement.inputs == (Place(0, "nhwc"),)


@pytest.mark.parametrize("given", ["0:nwhc", "nhwc", "7:nhwc", "0=nhwc"])
def test_a_wrong_io_is_one_clear_line(given):
    with pytest.raises(VerificationError, match="has words such as 0:nhwc"):
        matching.find([spec(1, 4)], [SCORES], [spec(1, 4)], [SCORES], never, given)


def test_another_count_or_shape_names_both_sides():
    with pytest.raises(VerificationError, match="the file has 2 inputs"):
        matching.find([spec(1, 4)], [SCORES], [spec(1, 4), spec(1, 4)], [SCORES], never)
    with pytest.raises(VerificationError, match=r"x float32 \[1, 5\].*are not PyTorch's"):
        matching.find([spec(1, 4)], [SCORES], [spec(1, 5)], [SCORES], never)
