import torch
from layers import LlamaBlock, rotary
from torch import nn


class Encoder(nn.Module):
    def __init__(self, length=12):
        super().__init__()
        self.blocks, self.norm = nn.ModuleList([LlamaBlock(), LlamaBlock()]), nn.RMSNorm(64)
        self.angles = nn.ParameterList(rotary(length, 16))

    def forward(self, x):
        for block in self.blocks:
            x, _ = block(x, *self.angles)
        return self.norm(x)


def get_pytorch_model():
    return Encoder()


def get_example_input():
    return torch.zeros(1, 12, 64)
