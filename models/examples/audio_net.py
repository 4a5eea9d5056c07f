"""One-dimensional convolutions on a waveform."""

import torch
from torch import nn


def get_pytorch_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv1d(1, 16, 16, stride=4, padding=6),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Conv1d(16, 32, 3, dilation=2, padding=2),
        nn.LeakyReLU(0.1),
        nn.MaxPool1d(4),
        nn.Conv1d(32, 32, 3, groups=32, padding=1),
        nn.PReLU(32),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    ).eval()


def get_example_input():
    return torch.zeros(1, 1, 4000)
