import torch
from layers import Attention, Mlp, calibrated
from torch import nn
from torch.nn import functional as F


class Conformer(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.before, self.after = (nn.Sequential(nn.LayerNorm(width), Mlp(width, 4, nn.SiLU)) for _ in range(2))
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width)
        self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Conv1d(width, 2 * width, 1), nn.Conv1d(width, width, 1)
        self.depthwise, self.norm = nn.Conv1d(width, width, 15, padding=7, groups=width), nn.BatchNorm1d(width)

    def forward(self, x):
        x = x + 0.5 * self.before(x)
        x = x + self.attention(self.norm1(x))
        y = F.glu(self.up(self.norm2(x).transpose(1, 2)), 1)
        x = x + self.down(F.silu(self.norm(self.depthwise(y)))).transpose(1, 2)
        return self.norm3(x + 0.5 * self.after(x))


def get_pytorch_model():
    return calibrated(nn.Sequential(Conformer(), Conformer()), torch.randn(2, 20, 64))


def get_example_input():
    return torch.zeros(1, 20, 64)
