import torch
from seeded import seeded
from unet import UNet3D

get_pytorch_model, get_example_input = seeded(
    lambda: UNet3D(normalization="batch", padding=True, num_encoding_blocks=3, out_channels_first_layer=4),
    torch.zeros(1, 1, 16, 16, 16),
)
