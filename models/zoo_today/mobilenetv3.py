import torch
from layers import ConvNorm, SqueezeExcite, calibrated, images
from torch import nn


class Block(nn.Module):
    def __init__(self, inside, wide, outside, kernel, stride, squeeze, act):
        super().__init__()
        parts = [ConvNorm(inside, wide, 1, act=act), ConvNorm(wide, wide, kernel, stride, wide, act)]
        parts += [SqueezeExcite(wide, wide // 4)] if squeeze else []
        self.body = nn.Sequential(*parts, ConvNorm(wide, outside, 1, act=nn.Identity))
        self.skips = stride == 1 and inside == outside

    def forward(self, x):
        return x + self.body(x) if self.skips else self.body(x)


class MobileNetV3(nn.Sequential):
    def __init__(self):
        hard = nn.Hardswish
        super().__init__(
            ConvNorm(3, 16, 3, 2, act=hard),
            Block(16, 16, 16, 3, 2, True, nn.ReLU),
            Block(16, 48, 24, 3, 1, False, nn.ReLU),
            Block(24, 64, 24, 5, 1, True, hard),
            Block(24, 96, 40, 5, 2, True, hard),
            ConvNorm(40, 128, 1, act=hard),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(128, 64),
            hard(),
            nn.Linear(64, 10),
        )


def get_pytorch_model():
    return calibrated(MobileNetV3(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
