import torch
from glom_pytorch import Glom
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: Glom(dim=32, levels=3, image_size=32, patch_size=8), torch.zeros(1, 3, 32, 32)
)
