import torch
from bottleneck_transformer_pytorch import BottleStack
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: BottleStack(dim=64, fmap_size=16, dim_out=128, num_layers=2, heads=4, dim_head=16, rel_pos_emb=True),
    torch.zeros(1, 64, 16, 16),
)
