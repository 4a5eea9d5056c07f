import torch
from torch import nn


class Classifier(nn.Module):
    """nn.TransformerEncoder over words, and a head on the first of them."""

    def __init__(self, width=64, words=100):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 4, 128, activation="gelu", batch_first=True)
        self.words, self.position = nn.Embedding(words, width), nn.Parameter(torch.randn(1, 16, width))
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, input_ids):
        return self.head(self.encoder(self.words(input_ids) + self.position)[:, 0])


def get_pytorch_model():
    return Classifier()


def get_example_input():
    return {"input_ids": torch.arange(16)[None] * 6}
