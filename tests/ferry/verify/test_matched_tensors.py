import numpy as np
import pytest

from ferry.runtimes import TensorSpec
from ferry.verify import matched_tensors

pytestmark = pytest.mark.fast

SPEC = TensorSpec("output", (1, 4), np.dtype(np.float32))


def spec(**changes):
    return SPEC._replace(**changes)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "its outputs are named nothing; PyTorch's are output"),
        ([spec(name="other", shape=(9,))], "its outputs are named other; PyTorch's are output"),
        ([SPEC, spec(name="more")], "its outputs are named output, more; PyTorch's are output"),
        ([spec(shape=(1, 5))], "output output has shape [1, 5]; PyTorch's has [1, 4]"),
        ([spec(dtype=np.dtype(np.int64))], "output output has dtype int64; PyTorch's has float32"),
    ],
)
def test_names_then_shapes_then_dtypes(found, message):
    assert matched_tensors.fault(found, [SPEC], "output") == message


def test_the_same_interface_has_no_fault():
    assert matched_tensors.fault([spec(shape=(-1, 4))], [SPEC], "output") is None
