import torch
from layers import calibrated
from torch import nn


def shared(*widths):
    layers = []
    for inside, outside in zip(widths, widths[1:]):
        layers += [nn.Conv1d(inside, outside, 1), nn.BatchNorm1d(outside), nn.ReLU()]
    return nn.Sequential(*layers)


class PointNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.turn, self.turn_head = shared(3, 16, 32), nn.Linear(32, 9)
        self.body, self.head = shared(3, 32, 64), nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, points):
        turn = self.turn_head(self.turn(points).amax(2)).view(-1, 3, 3) + torch.eye(3)
        return self.head(self.body(turn @ points).amax(2))


def get_pytorch_model():
    return calibrated(PointNet(), torch.randn(2, 3, 64))


def get_example_input():
    return torch.zeros(1, 3, 64)
