"""Sequences through a bidirectional LSTM of two layers, to a class each."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(16, 32, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(64, 5)

    def forward(self, x):
        states, _ = self.lstm(x)
        return self.head(states[:, -1])


def get_pytorch_model():
    torch.manual_seed(0)
    return Classifier().eval()


def get_example_input():
    return torch.zeros(1, 20, 16)
