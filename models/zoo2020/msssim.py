import torch
from pytorch_msssim import SSIM
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: SSIM(data_range=1.0, channel=3), torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
)
