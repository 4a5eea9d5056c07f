import torch
from isab_pytorch import ISAB
from seeded import seeded

get_pytorch_model, get_example_input = seeded(lambda: ISAB(dim=32, heads=4, num_latents=8), torch.zeros(1, 64, 32))
