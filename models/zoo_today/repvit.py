import torch
from layers import ConvNorm, SqueezeExcite, calibrated, images
from torch import nn


class RepViT(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.three, self.one = nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.Conv2d(width, width, 1, groups=width)
        self.norm, self.squeeze = nn.BatchNorm2d(width), SqueezeExcite(width, width // 4)
        self.channels = nn.Sequential(
            ConvNorm(width, 2 * width, 1, act=nn.GELU), ConvNorm(2 * width, width, 1, act=nn.Identity)
        )

    def forward(self, x):
        x = self.squeeze(self.norm(self.three(x) + self.one(x) + x))
        return x + self.channels(x)


def repvit():
    return nn.Sequential(
        ConvNorm(3, 24, 3, 2, act=nn.GELU), ConvNorm(24, 32, 3, 2, act=nn.Identity), RepViT(32), RepViT(32),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(32), nn.Linear(32, 10),
    )  # fmt: skip


def get_pytorch_model():
    return calibrated(repvit(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
