"""Attention written with ``einsum``."""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        # A number here, and no power of a traced size: PyTorch's exporter cuts that one off to an integer.
        self.scale = (width // heads) ** -0.5
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.project(x).reshape(batch, length, 3, self.heads, width // self.heads).unbind(2)
        scores = torch.einsum("bihd,bjhd->bhij", [q, k]) * self.scale
        mixed = torch.einsum("bhij,bjhd->bihd", [scores.softmax(-1), v])
        return self.out(mixed.reshape(batch, length, width))


def get_pytorch_model():
    torch.manual_seed(0)
    return Attention().eval()


def get_example_input():
    return torch.zeros(1, 9, 32)
