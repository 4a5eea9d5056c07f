"""PyTorch's own Transformer encoder, on features."""

import torch
from torch import nn


def get_pytorch_model():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(d_model=32, nhead=4, dim_feedforward=64)
    return nn.TransformerEncoder(layer, num_layers=2, norm=nn.LayerNorm(32)).eval()


def get_example_input():
    return torch.zeros(10, 1, 32)
