import torch
from layers import EncoderBlock
from torch import nn
from torch.nn import functional as F


class Wav2Vec2(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv1d(1, 32, 10, 5, bias=False), nn.Conv1d(32, 32, 3, 2), nn.Conv1d(32, width, 3, 2)]
        )
        self.first, self.norm = nn.GroupNorm(32, 32), nn.LayerNorm(width)
        self.position = nn.utils.parametrizations.weight_norm(nn.Conv1d(width, width, 9, padding=4, groups=4), dim=2)
        self.blocks, self.head = nn.Sequential(EncoderBlock(width), EncoderBlock(width)), nn.Linear(width, 12)

    def forward(self, audio):
        x = audio[:, None]
        for index, conv in enumerate(self.convs):
            x = F.gelu(self.first(conv(x)) if index == 0 else conv(x))
        x = self.norm(x.transpose(1, 2))
        x = x + F.gelu(self.position(x.transpose(1, 2))).transpose(1, 2)
        return self.head(self.blocks(x))


def get_pytorch_model():
    return Wav2Vec2()


def get_example_input():
    return torch.zeros(1, 800)
