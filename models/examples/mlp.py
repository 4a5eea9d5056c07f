"""A multi-layer perceptron applied to every point of a set."""

import torch
from torch import nn


class Pointwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.each = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh())
        self.head = nn.Linear(64, 5)

    def forward(self, points):
        return self.head(self.each(points).max(1)[0])


def get_pytorch_model():
    torch.manual_seed(0)
    return Pointwise().eval()


def get_example_input():
    return torch.zeros(1, 50, 3)
