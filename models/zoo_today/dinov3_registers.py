import torch
from layers import Vit


def get_pytorch_model():
    return Vit(registers=4, scale=0.3)


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
