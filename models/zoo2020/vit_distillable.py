import torch
from seeded import seeded
from vit_pytorch.distill import DistillableViT

get_pytorch_model, get_example_input = seeded(
    lambda: DistillableViT(image_size=64, patch_size=8, num_classes=10, dim=64, depth=2, heads=4, mlp_dim=128),
    torch.zeros(1, 3, 64, 64),
)
