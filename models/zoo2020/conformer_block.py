import torch
from conformer import ConformerBlock
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: ConformerBlock(dim=64, dim_head=16, heads=4), torch.zeros(1, 50, 64)
)
