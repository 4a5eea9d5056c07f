import torch
from seeded import seeded
from stam_pytorch import STAM

get_pytorch_model, get_example_input = seeded(
    lambda: STAM(
        dim=64,
        image_size=32,
        patch_size=8,
        num_frames=4,
        space_depth=2,
        space_heads=4,
        space_mlp_dim=128,
        time_depth=1,
        time_heads=4,
        time_mlp_dim=128,
        num_classes=10,
        space_dim_head=16,
        time_dim_head=16,
    ),
    torch.zeros(1, 4, 3, 32, 32),
)
