"""A bidirectional GRU that labels every step of a sequence."""

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(16, 24, bidirectional=True, batch_first=True)
        self.head = nn.Linear(48, 6)

    def forward(self, x):
        return self.head(self.gru(x)[0]).log_softmax(-1)


def get_pytorch_model():
    torch.manual_seed(0)
    return Tagger().eval()


def get_example_input():
    return torch.zeros(1, 12, 16)
