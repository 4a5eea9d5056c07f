"""Weights in .safetensors arrive as they were, bfloat16 too, and a damaged file is one sentence."""

import json
import struct

import numpy as np
import pytest
import torch

from ferry.errors import InputFileError
from ferry.model import checkpoint_file


@pytest.fixture()
def write(tmp_path):
    def made(tensors, metadata=True, cut=None):
        header, data = ({"__metadata__": {"format": "pt"}} if metadata else {}), b""
        for name, (dtype, shape, held) in tensors.items():
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(held)]}
            data += held
        text = json.dumps(header).encode()
        path = tmp_path / "weights.safetensors"
        path.write_bytes((struct.pack("<Q", len(text)) + text + data)[:cut])
        return str(path)

    return made


def test_each_dtype_arrives(write):
    floats = np.array([[1.5, -2.0]], np.float32)
    held = checkpoint_file.load(
        write(
            {
                "a": ("F32", [1, 2], floats.tobytes()),
                "b": ("F16", [2], np.array([0.5, 3], np.float16).tobytes()),
                "c": ("BF16", [2], struct.pack("<2H", 0x3FC0, 0xC000)),
                "d": ("I64", [], np.int64(7).tobytes()),
                "e": ("BOOL", [2], b"\1\0"),
            }
        )
    )
    assert torch.equal(held["a"], torch.tensor([[1.5, -2.0]]))
    assert held["b"].tolist() == [0.5, 3] and held["b"].dtype == torch.float16
    assert held["c"].tolist() == [1.5, -2.0] and held["c"].dtype == torch.float32
    assert held["d"].item() == 7 and held["e"].tolist() == [True, False]


@pytest.mark.parametrize("cut", [0, 5, 30, -1])
def test_one_that_is_cut_short_is_damaged(write, cut):
    with pytest.raises(InputFileError, match=r"damaged, or is no \.safetensors file"):
        checkpoint_file.load(write({"a": ("F32", [2], bytes(8))}, cut=cut))


def test_one_whose_header_lies_is_damaged(write):
    with pytest.raises(InputFileError, match="a is not of 12 bytes"):
        checkpoint_file.load(write({"a": ("F32", [3], bytes(8))}))


def test_a_dtype_of_no_weight_is_named(write):
    with pytest.raises(InputFileError, match="a is of F8_E4M3; Ferry loads F64"):
        checkpoint_file.load(write({"a": ("F8_E4M3", [3], bytes(3))}))
