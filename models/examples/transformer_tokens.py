"""A Transformer encoder on integer tokens: embedding, learnt positions, a class for the whole text."""

import torch
from torch import nn

TOKENS, LENGTH, WIDTH = 100, 12, 32


class TextClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, WIDTH)
        self.positions = nn.Parameter(torch.randn(LENGTH, 1, WIDTH))
        layer = nn.TransformerEncoderLayer(d_model=WIDTH, nhead=4, dim_feedforward=64, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(WIDTH, 4)

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(0, 1) + self.positions
        return self.head(self.encoder(x).mean(0))


def get_pytorch_model():
    torch.manual_seed(0)
    return TextClassifier().eval()


def get_example_input():
    # The verification draws tokens from the range that these span.
    return torch.arange(LENGTH)[None] * (TOKENS - 1) // (LENGTH - 1)
