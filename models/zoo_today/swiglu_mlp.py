import torch
from layers import SwiGlu
from torch import nn


def get_pytorch_model():
    return nn.Sequential(nn.RMSNorm(32), SwiGlu(32, 64), nn.RMSNorm(32), SwiGlu(32, 96))


def get_example_input():
    return torch.zeros(4, 32)
