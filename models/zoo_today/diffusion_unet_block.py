import math

import torch
from layers import Attention
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """A residual block that a time is added to, attention over the image, and a larger image, as in diffusion."""

    def __init__(self, width=32):
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for _ in range(3))
        self.first, self.second = nn.Conv2d(4, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)
        self.time, self.attention = nn.Linear(width, width), Attention(width)
        self.up = nn.Conv2d(width, 4, 3, 1, 1)

    def forward(self, latent, time):
        half = self.time.in_features // 2
        angles = time[:, None] * torch.exp(-math.log(10000.0) * torch.arange(half) / half)
        embedded = self.time(F.silu(torch.cat([angles.cos(), angles.sin()], -1)))
        x = self.first(latent)
        x = x + self.second(F.silu(self.norms[0](x) + embedded[:, :, None, None]))
        y = self.norms[1](x).flatten(2).transpose(1, 2)
        x = x + self.attention(y).transpose(1, 2).view(x.shape)
        return self.up(F.interpolate(F.silu(self.norms[2](x)), scale_factor=2.0, mode="nearest"))


def get_pytorch_model():
    return Block()


def get_example_input():
    return {"latent": torch.zeros(1, 4, 8, 8), "time": torch.zeros(1)}
