import torch
from layers import ConvNorm, calibrated, images
from torch import nn


class InvertedBottleneck(nn.Module):
    """The universal one: a depthwise convolution before, between, both or neither."""

    def __init__(self, inside, outside, before, between, stride):
        super().__init__()
        wide = 4 * inside
        parts = [ConvNorm(inside, inside, before, 1, inside, nn.Identity)] if before else []
        parts += [ConvNorm(inside, wide, 1, act=nn.ReLU)]
        parts += [ConvNorm(wide, wide, between, stride, wide, nn.ReLU)] if between else []
        self.body = nn.Sequential(*parts, ConvNorm(wide, outside, 1, act=nn.Identity))
        self.skips = stride == 1 and inside == outside

    def forward(self, x):
        return x + self.body(x) if self.skips else self.body(x)


def mobilenetv4():
    return nn.Sequential(
        ConvNorm(3, 16, 3, 2, act=nn.ReLU),
        ConvNorm(16, 24, 3, 2, act=nn.ReLU),
        InvertedBottleneck(24, 32, 5, 5, 2),
        InvertedBottleneck(32, 32, 0, 3, 1),
        InvertedBottleneck(32, 32, 3, 0, 1),
        InvertedBottleneck(32, 32, 0, 0, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def get_pytorch_model():
    return calibrated(mobilenetv4(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
