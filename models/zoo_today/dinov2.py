import torch
from layers import Vit


def get_pytorch_model():
    return Vit(scale=0.5, classes=16)


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
