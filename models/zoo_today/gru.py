import torch
from torch import nn


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(12, 24, num_layers=2, batch_first=True)
        self.head = nn.Linear(24, 5)

    def forward(self, x):
        made, _ = self.recurrent(x)
        return self.head(made)


def get_pytorch_model():
    return Recurrent()


def get_example_input():
    return torch.zeros(1, 10, 12)
