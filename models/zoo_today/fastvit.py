import torch
from layers import ConvNorm, EncoderBlock, calibrated, images
from torch import nn


class RepMixer(nn.Module):
    """Tokens mixed by a depthwise convolution less its own norm, as it is before the branches are joined."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.mixer = nn.BatchNorm2d(width), ConvNorm(width, width, 3, 1, width, nn.Identity)
        self.one, self.scale = ConvNorm(width, width, 1, 1, width, nn.Identity), nn.Parameter(torch.rand(width, 1, 1))
        self.ffn = nn.Sequential(
            ConvNorm(width, width, 7, 1, width, nn.Identity), nn.Conv2d(width, 3 * width, 1), nn.GELU(),
            nn.Conv2d(3 * width, width, 1),
        )  # fmt: skip

    def forward(self, x):
        x = x + self.scale * (self.mixer(x) + self.one(x) - self.norm(x))
        return x + self.scale * self.ffn(x)


class FastVit(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(3, 24, 3, 2, act=nn.GELU), RepMixer(24), ConvNorm(24, 48, 7, 2, 24, nn.GELU), RepMixer(48)
        )
        self.attention, self.head = EncoderBlock(48), nn.Linear(48, 10)

    def forward(self, x):
        return self.head(self.attention(self.body(x).flatten(2).transpose(1, 2)).mean(1))


def get_pytorch_model():
    return calibrated(FastVit(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
