"""A detection head: from features, offsets to anchors, up to the boxes and their scores."""

import torch
from torch import nn

SIZE, STRIDE, CLASSES = 10, 16, 4
SIDES = (32.0, 64.0, 128.0)


def anchors():
    """(SIZE · SIZE · 3, 4): the centre, width and height of each anchor, in pixels."""
    centres = (torch.arange(SIZE, dtype=torch.float32) + 0.5) * STRIDE
    y, x = torch.meshgrid(centres, centres)
    each = [torch.stack([x, y, torch.full_like(x, side), torch.full_like(x, side)], -1) for side in SIDES]
    return torch.stack(each, 2).reshape(-1, 4)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Conv2d(16, 32, 3, padding=1)
        self.boxes = nn.Conv2d(32, 4 * len(SIDES), 1)
        self.scores = nn.Conv2d(32, CLASSES * len(SIDES), 1)
        self.register_buffer("anchors", anchors())

    def forward(self, features):
        x = torch.relu(self.shared(features))
        offsets = self.boxes(x).permute(0, 2, 3, 1).reshape(features.shape[0], -1, 4)
        scores = self.scores(x).permute(0, 2, 3, 1).reshape(features.shape[0], -1, CLASSES)
        centre = self.anchors[:, :2] + offsets[..., :2] * self.anchors[:, 2:]
        half = self.anchors[:, 2:] * offsets[..., 2:].clamp(max=4.0).exp() * 0.5
        boxes = torch.cat([centre - half, centre + half], -1).clamp(0, SIZE * STRIDE)
        return boxes, scores.sigmoid()


def get_pytorch_model():
    torch.manual_seed(0)
    return Head().eval()


def get_example_input():
    return torch.zeros(1, 16, SIZE, SIZE)
