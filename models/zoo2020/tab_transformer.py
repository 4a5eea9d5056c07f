import torch
from seeded import seeded, tokens
from tab_transformer_pytorch import TabTransformer

get_pytorch_model, get_example_input = seeded(
    lambda: TabTransformer(num_unique_categories=30, num_categories=3, num_continuous=4, dim=32, depth=2, heads=4),
    tokens(30, 1, 3),
    torch.zeros(1, 4),
)
