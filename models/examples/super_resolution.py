"""Super resolution: convolutions, and a pixel shuffle from channels to space."""

import torch
from torch import nn


def get_pytorch_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 27, 3, padding=1),
        nn.PixelShuffle(3),
    ).eval()


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
