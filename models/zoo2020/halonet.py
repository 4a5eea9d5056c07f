import torch
from halonet_pytorch import HaloAttention
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: HaloAttention(dim=32, block_size=8, halo_size=4, dim_head=16, heads=4), torch.zeros(1, 32, 16, 16)
)
