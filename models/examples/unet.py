"""A U-Net: transposed convolutions up, and skip connections across."""

import torch
from torch import nn


def block(before, after):
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([block(3, 8), block(8, 16), block(16, 32)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(32, 16, 2, stride=2), nn.ConvTranspose2d(16, 8, 2, stride=2)])
        self.join = nn.ModuleList([block(32, 16), block(16, 8)])
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        first = self.down[0](x)
        second = self.down[1](nn.functional.max_pool2d(first, 2))
        x = self.down[2](nn.functional.max_pool2d(second, 2))
        x = self.join[0](torch.cat([self.up[0](x), second], 1))
        x = self.join[1](torch.cat([self.up[1](x), first], 1))
        return self.head(x)


def get_pytorch_model():
    torch.manual_seed(0)
    return UNet().eval()


def get_example_input():
    return torch.zeros(1, 3, 64, 64)
