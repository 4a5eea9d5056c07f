import torch
from layers import Attention, ConvNorm, Mlp, calibrated, images
from torch import nn
from torch.nn import functional as F


class C2f(nn.Module):
    def __init__(self, width):
        super().__init__()
        half = width // 2
        self.first, self.last = ConvNorm(width, width, 1), ConvNorm(width + half, width, 1)
        self.body = nn.Sequential(ConvNorm(half, half), ConvNorm(half, half))

    def forward(self, x):
        parts = list(self.first(x).chunk(2, 1))
        return self.last(torch.cat([*parts, parts[-1] + self.body(parts[-1])], 1))


class Spp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.last = ConvNorm(width, width // 2, 1), ConvNorm(2 * width, width, 1)

    def forward(self, x):
        made = [self.first(x)]
        for _ in range(3):
            made.append(F.max_pool2d(made[-1], 5, 1, 2))
        return self.last(torch.cat(made, 1))


class C2psa(nn.Module):
    """Attention over positions, whose values go through a depthwise convolution too."""

    def __init__(self, width):
        super().__init__()
        self.attention, self.mlp = Attention(width), Mlp(width, 2, nn.SiLU)
        self.position = ConvNorm(width, width, 3, 1, width, nn.Identity)

    def forward(self, x):
        y = x.flatten(2).transpose(1, 2)
        y = y + self.attention(y)
        y = (y + self.mlp(y)).transpose(1, 2).view(x.shape)
        return y + self.position(x)


class Yolo(nn.Module):
    """Two scales; the boxes are decoded from distributions over distances, and given as corners in pixels."""

    def __init__(self, classes=4, bins=8):
        super().__init__()
        self.one = nn.Sequential(ConvNorm(3, 16, stride=2), ConvNorm(16, 32, stride=2), C2f(32))
        self.two = nn.Sequential(ConvNorm(32, 64, stride=2), C2f(64), Spp(64), C2psa(64))
        self.join = C2f(96)
        self.boxes = nn.ModuleList([nn.Conv2d(96, 4 * bins, 1), nn.Conv2d(64, 4 * bins, 1)])
        self.classes = nn.ModuleList([nn.Conv2d(96, classes, 1), nn.Conv2d(64, classes, 1)])
        self.register_buffer("bins", torch.arange(bins, dtype=torch.float32))

    def forward(self, x):
        one = self.one(x)
        two = self.two(one)
        joined = self.join(torch.cat([F.interpolate(two, scale_factor=2, mode="nearest"), one], 1))
        found = [self.decoded(y, level, stride) for y, level, stride in ((joined, 0, 4), (two, 1, 8))]
        return {name: torch.cat([each[name] for each in found], 2) for name in ("boxes", "scores")}

    def decoded(self, x, level, stride):
        rows, columns = x.shape[2:]
        shares = self.boxes[level](x).view(len(x), 4, -1, rows * columns).softmax(2)
        left, top, right, bottom = (shares * self.bins[:, None]).sum(2).chunk(4, 1)
        y, x_ = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
        y, x_ = y.reshape(1, 1, -1), x_.reshape(1, 1, -1)
        boxes = torch.cat([x_ - left, y - top, x_ + right, y + bottom], 1) * stride
        return {"boxes": boxes, "scores": self.classes[level](x).flatten(2).sigmoid()}


def get_pytorch_model():
    return calibrated(Yolo(), images())


def get_example_input():
    return torch.zeros(1, 3, 32, 32)
