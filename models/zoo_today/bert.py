import torch
from layers import Attention, Mlp
from torch import nn


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention, self.mlp = Attention(width), Mlp(width)
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-12), nn.LayerNorm(width, 1e-12)

    def forward(self, x):
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.mlp(x))


class Bert(nn.Module):
    def __init__(self, width=64, words=100, length=16):
        super().__init__()
        self.words, self.position, self.kinds = (
            nn.Embedding(words, width),
            nn.Embedding(length, width),
            nn.Embedding(2, width),
        )
        self.norm, self.layers = nn.LayerNorm(width, 1e-12), nn.Sequential(Layer(width), Layer(width))
        self.pooler = nn.Linear(width, width)

    def forward(self, input_ids, token_type_ids):
        at = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.layers(self.norm(self.words(input_ids) + self.position(at) + self.kinds(token_type_ids)))
        return {"last_hidden_state": x, "pooler_output": torch.tanh(self.pooler(x[:, 0]))}


def get_pytorch_model():
    return Bert()


def get_example_input():
    return {"input_ids": torch.arange(16)[None] * 6, "token_type_ids": (torch.arange(16)[None] > 8).long()}
