import torch
from layers import ConvNorm, SqueezeExcite, calibrated, images
from torch import nn


class Fused(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(ConvNorm(width, 4 * width), ConvNorm(4 * width, width, 1, act=nn.Identity))

    def forward(self, x):
        return x + self.body(x)


class Inverted(nn.Module):
    def __init__(self, width):
        super().__init__()
        wide = 4 * width
        self.body = nn.Sequential(
            ConvNorm(width, wide, 1),
            ConvNorm(wide, wide, groups=wide),
            SqueezeExcite(wide, width // 4),
            ConvNorm(wide, width, 1, act=nn.Identity),
        )

    def forward(self, x):
        return x + self.body(x)


def efficientnetv2():
    return nn.Sequential(
        ConvNorm(3, 16, stride=2),
        Fused(16),
        ConvNorm(16, 32, stride=2),
        Inverted(32),
        Inverted(32),
        ConvNorm(32, 64, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def get_pytorch_model():
    return calibrated(efficientnetv2(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
