import torch
from g_mlp_pytorch import gMLPVision
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: gMLPVision(image_size=64, patch_size=16, num_classes=10, dim=64, depth=2), torch.zeros(1, 3, 64, 64)
)
