import torch
from layers import Mlp
from torch import nn


class Block(nn.Module):
    """Attention with biases from the distances along each axis, as the image encoder of SAM has it."""

    def __init__(self, width=64, heads=4, side=8):
        super().__init__()
        self.heads, self.side, size = heads, side, width // heads
        self.norm1, self.norm2, self.mlp = nn.LayerNorm(width), nn.LayerNorm(width), Mlp(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        apart = torch.arange(side)[:, None] - torch.arange(side) + side - 1
        self.register_buffer("apart", apart)
        self.rows = nn.Parameter(torch.randn(2 * side - 1, size) * 0.2)
        self.columns = nn.Parameter(torch.randn(2 * side - 1, size) * 0.2)

    def forward(self, x):
        batch, rows, columns, width = x.shape
        y = self.norm1(x).view(batch, rows * columns, width)
        q, k, v = self.qkv(y).view(batch, rows * columns, 3, self.heads, -1).permute(2, 0, 3, 1, 4).flatten(1, 2)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(1, 2)
        near = q.view(-1, rows, columns, q.shape[-1])
        by_row = torch.einsum("bhwc,hkc->bhwk", near, self.rows[self.apart])
        by_column = torch.einsum("bhwc,wkc->bhwk", near, self.columns[self.apart])
        bias = by_row[..., None] + by_column[..., None, :]
        made = (scores + bias.flatten(3).flatten(1, 2)).softmax(-1) @ v
        made = made.view(batch, self.heads, rows, columns, -1).permute(0, 2, 3, 1, 4).reshape(x.shape)
        x = x + self.out(made)
        return x + self.mlp(self.norm2(x))


class Encoder(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.patch, self.blocks = nn.Conv2d(3, width, 4, 4), nn.Sequential(Block(), Block())
        self.neck = nn.Sequential(nn.Conv2d(width, 32, 1, bias=False), nn.GroupNorm(1, 32), nn.Conv2d(32, 32, 3, 1, 1))

    def forward(self, x):
        return self.neck(self.blocks(self.patch(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def get_pytorch_model():
    return Encoder()


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
