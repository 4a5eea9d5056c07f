import torch
from denoiser.demucs import Demucs
from seeded import seeded

get_pytorch_model, get_example_input = seeded(lambda: Demucs(hidden=8, depth=3, resample=2), torch.zeros(1, 1, 1024))
