"""A GRU that is fed its state and gives it back, as an app calls it chunk by chunk."""

import torch
from torch import nn


class Stream(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(16, 32)
        self.head = nn.Linear(32, 8)

    def forward(self, chunk, state):
        states, last = self.gru(chunk, state)
        return self.head(states), last


def get_pytorch_model():
    torch.manual_seed(0)
    return Stream().eval()


def get_example_input():
    return torch.zeros(10, 1, 16), torch.zeros(1, 1, 32)
