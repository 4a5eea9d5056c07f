"""What several networks of this folder are made of, and the statistics of their batch norms."""

import torch
from torch import nn
from torch.nn import functional as F


def calibrated(model, *inputs):
    """``model`` in eval mode, its batch norms with the statistics of what passes through them."""
    norms = [part for part in model.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    model.eval()
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
        norm.train()
    if norms:
        with torch.no_grad():
            model(*inputs)
    return model.eval()


def images(size=32, channels=3, batch=2):
    """Images of noise."""
    return torch.randn(batch, channels, size, size)


class ConvNorm(nn.Sequential):
    """A convolution, a batch norm, and an activation."""

    def __init__(self, inside, outside, kernel=3, stride=1, groups=1, act=nn.SiLU):
        conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outside), act())


class SqueezeExcite(nn.Module):
    """Channels weighed by what all of the image says."""

    def __init__(self, width, inside):
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(width, inside, 1), nn.Conv2d(inside, width, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Attention(nn.Module):
    """Attention of ``heads`` heads; of x to itself, or to ``memory``."""

    def __init__(self, width, heads=4, causal=False, bias=True):
        super().__init__()
        self.q, self.kv = nn.Linear(width, width, bias), nn.Linear(width, 2 * width, bias)
        self.out = nn.Linear(width, width, bias)
        self.heads, self.causal = heads, causal

    def forward(self, x, memory=None):
        batch, length, width = x.shape
        held = x if memory is None else memory
        q = self.q(x).view(batch, length, self.heads, -1).transpose(1, 2)
        k, v = self.kv(held).view(batch, held.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        made = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(made.transpose(1, 2).reshape(batch, length, width))


class Mlp(nn.Sequential):
    """Two linear layers, wider between them."""

    def __init__(self, width, factor=4, act=nn.GELU):
        super().__init__(nn.Linear(width, factor * width), act(), nn.Linear(factor * width, width))


class EncoderBlock(nn.Module):
    """A block of a transformer whose norms come first."""

    def __init__(self, width, heads=4, causal=False, cross=False):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads, causal)
        self.norm2, self.mlp = nn.LayerNorm(width), Mlp(width)
        self.cross = nn.ModuleList([nn.LayerNorm(width), Attention(width, heads)]) if cross else None

    def forward(self, x, memory=None):
        x = x + self.attention(self.norm1(x))
        if self.cross is not None:
            x = x + self.cross[1](self.cross[0](x), memory)
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """Patches, a class token, registers, blocks; LayerScale where ``scale`` is a number."""

    def __init__(self, width=64, depth=3, patch=8, size=32, registers=0, scale=None, classes=10, distilled=False):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        extra = 1 + registers + distilled
        self.tokens = nn.Parameter(torch.randn(1, extra, width) * 0.5)
        self.position = nn.Parameter(torch.randn(1, (size // patch) ** 2 + extra, width) * 0.1)
        self.blocks = nn.ModuleList(EncoderBlock(width) for _ in range(depth))
        self.scales = nn.ParameterList(torch.full((width,), scale) for _ in range(depth)) if scale else None
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
        self.distilled = distilled

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.tokens.expand(len(x), -1, -1), x], 1) + self.position
        for index, block in enumerate(self.blocks):
            x = x + (block(x) - x) * self.scales[index] if self.scales is not None else block(x)
        x = self.norm(x)
        return self.head((x[:, 0] + x[:, 1]) / 2 if self.distilled else x[:, 0])


def rotary(length, width, base=10000.0):
    """The cosines and sines of rotary positions, [length, width] each."""
    angles = torch.arange(length)[:, None] * base ** (-torch.arange(0, width, 2) / width)
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotated(x, cos, sin):
    """``x`` with the halves of its last axis turned by the angles."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class SwiGlu(nn.Module):
    """A gated layer."""

    def __init__(self, width, inside):
        super().__init__()
        self.gate, self.up = nn.Linear(width, inside, bias=False), nn.Linear(width, inside, bias=False)
        self.down = nn.Linear(inside, width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class LlamaBlock(nn.Module):
    """RMSNorm, grouped-query attention with rotary positions, SwiGLU. ``cache`` holds past keys and values."""

    def __init__(self, width=64, heads=4, shared=2):
        super().__init__()
        self.heads, self.shared, self.size = heads, shared, width // heads
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.q, self.out = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.k = nn.Linear(width, shared * self.size, bias=False)
        self.v = nn.Linear(width, shared * self.size, bias=False)
        self.mlp = SwiGlu(width, 2 * width)

    def forward(self, x, cos, sin, cache=None):
        batch, length, width = x.shape
        y = self.norm1(x)
        q, k, v = (layer(y).view(batch, length, -1, self.size).transpose(1, 2) for layer in (self.q, self.k, self.v))
        q, k = rotated(q, cos, sin), rotated(k, cos, sin)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        wide = [part.repeat_interleave(self.heads // self.shared, 1) for part in (k, v)]
        made = F.scaled_dot_product_attention(q, *wide, is_causal=cache is None)
        x = x + self.out(made.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x)), (k, v)
