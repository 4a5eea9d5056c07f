import torch
from torch import nn


class Nerf(nn.Module):
    """Points and directions, each as sines and cosines of its multiples; a density and a colour."""

    def __init__(self, width=64):
        super().__init__()
        self.register_buffer("scales", 2.0 ** torch.arange(4))
        self.one, self.two = (
            nn.Sequential(nn.Linear(27, width), nn.ReLU()),
            nn.Sequential(nn.Linear(width + 27, width), nn.ReLU()),
        )
        self.density, self.colour = (
            nn.Linear(width, 1),
            nn.Sequential(nn.Linear(width + 27, 32), nn.ReLU(), nn.Linear(32, 3)),
        )

    def encoded(self, x):
        wide = (x[..., None] * self.scales).flatten(-2)
        return torch.cat([x, wide.sin(), wide.cos()], -1)

    def forward(self, point, direction):
        at = self.encoded(point)
        x = self.two(torch.cat([self.one(at), at], -1))
        colour = self.colour(torch.cat([x, self.encoded(direction)], -1)).sigmoid()
        return {"density": nn.functional.softplus(self.density(x)), "colour": colour}


def get_pytorch_model():
    return Nerf()


def get_example_input():
    return {"point": torch.zeros(32, 3), "direction": torch.zeros(32, 3)}
