import torch
from layers import Attention
from torch import nn
from torch.nn import functional as F


class Stage(nn.Module):
    """Overlapping patches, attention to a smaller image, and a layer that mixes with a convolution."""

    def __init__(self, inside, width, stride, reduction):
        super().__init__()
        self.patch, self.norm = nn.Conv2d(inside, width, 2 * stride - 1, stride, stride - 1), nn.LayerNorm(width)
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, 2)
        self.reduce = nn.Conv2d(width, width, reduction, reduction)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mix = nn.Conv2d(4 * width, 4 * width, 3, 1, 1, groups=4 * width)

    def forward(self, x):
        x = self.patch(x)
        batch, width, side, _ = x.shape
        x = self.norm(x.flatten(2).transpose(1, 2))
        y = self.norm1(x)
        small = self.reduce(y.transpose(1, 2).reshape(batch, width, side, side)).flatten(2).transpose(1, 2)
        x = x + self.attention(y, small)
        y = self.up(self.norm2(x)).transpose(1, 2).reshape(batch, -1, side, side)
        x = x + self.down(F.gelu(self.mix(y).flatten(2).transpose(1, 2)))
        return x.transpose(1, 2).reshape(batch, width, side, side)


class SegFormer(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Stage(3, 16, 4, 4), Stage(16, 32, 2, 2)
        self.heads = nn.ModuleList([nn.Conv2d(16, 32, 1), nn.Conv2d(32, 32, 1)])
        self.out = nn.Conv2d(64, 5, 1)

    def forward(self, x):
        one = self.one(x)
        two = self.two(one)
        small = F.interpolate(self.heads[1](two), size=one.shape[2:], mode="bilinear", align_corners=False)
        return F.interpolate(self.out(torch.cat([self.heads[0](one), small], 1)), scale_factor=4, mode="bilinear")


def get_pytorch_model():
    return SegFormer()


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
