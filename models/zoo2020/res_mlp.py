import torch
from res_mlp_pytorch import ResMLP
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: ResMLP(image_size=64, patch_size=16, dim=64, depth=2, num_classes=10), torch.zeros(1, 3, 64, 64)
)
