import torch
from layers import ConvNorm, EncoderBlock, SqueezeExcite, calibrated, images
from torch import nn


class MaxVit(nn.Module):
    """A convolution with squeeze and excitation, attention in blocks, and attention over a grid."""

    def __init__(self, width=32, side=4):
        super().__init__()
        self.stem = ConvNorm(3, width, 3, 2, act=nn.GELU)
        self.conv = nn.Sequential(ConvNorm(width, width, 3, 2, width, nn.GELU), SqueezeExcite(width, 8))
        self.block, self.grid, self.side = EncoderBlock(width), EncoderBlock(width), side
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.conv(self.stem(x))
        batch, width, size, _ = x.shape
        count = size // self.side
        x = x.view(batch, width, count, self.side, count, self.side).permute(0, 2, 4, 3, 5, 1)
        x = self.block(x.reshape(-1, self.side**2, width)).view(batch, count, count, self.side, self.side, width)
        x = x.permute(0, 3, 4, 1, 2, 5).reshape(-1, count**2, width)
        return self.head(self.grid(x).reshape(batch, -1, width).mean(1))


def get_pytorch_model():
    return calibrated(MaxVit(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
