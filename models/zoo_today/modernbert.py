import torch
from layers import rotary, rotated
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    """Attention with rotary positions, near words alone where ``window`` says so, and a gated GELU."""

    def __init__(self, width, window):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(2 * width, width, bias=False)
        apart = (torch.arange(16)[:, None] - torch.arange(16)).abs()
        self.register_buffer("near", apart <= window)
        cos, sin = rotary(16, 16)
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).view(len(x), -1, 3, 4, 16).permute(2, 0, 3, 1, 4)
        q, k = rotated(q, self.cos, self.sin), rotated(k, self.cos, self.sin)
        made = F.scaled_dot_product_attention(q, k, v, attn_mask=self.near)
        x = x + self.out(made.transpose(1, 2).flatten(2))
        first, gate = self.up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.gelu(first) * gate)


class ModernBert(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.words, self.norm = nn.Embedding(100, width), nn.LayerNorm(width, bias=False)
        self.layers = nn.Sequential(Layer(width, 99), Layer(width, 3), Layer(width, 3))

    def forward(self, input_ids):
        return self.layers(self.norm(self.words(input_ids)))


def get_pytorch_model():
    return ModernBert()


def get_example_input():
    return {"input_ids": torch.arange(16)[None] * 6}
