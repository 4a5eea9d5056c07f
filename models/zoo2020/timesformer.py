import torch
from seeded import seeded
from timesformer_pytorch import TimeSformer

get_pytorch_model, get_example_input = seeded(
    lambda: TimeSformer(
        dim=64, image_size=32, patch_size=8, num_frames=4, num_classes=10, depth=2, heads=4, dim_head=16
    ),
    torch.zeros(1, 4, 3, 32, 32),
)
