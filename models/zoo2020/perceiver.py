import torch
from perceiver_pytorch import Perceiver
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: Perceiver(
        num_freq_bands=6,
        max_freq=10,
        depth=2,
        num_latents=16,
        latent_dim=64,
        cross_dim=64,
        num_classes=10,
        latent_heads=4,
        latent_dim_head=16,
        cross_dim_head=16,
    ),
    torch.zeros(1, 16, 16, 3),
)
