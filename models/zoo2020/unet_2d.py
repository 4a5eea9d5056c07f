import torch
from seeded import seeded
from unet import UNet2D

get_pytorch_model, get_example_input = seeded(
    lambda: UNet2D(normalization="batch", padding=True, num_encoding_blocks=3, out_channels_first_layer=4),
    torch.zeros(1, 1, 64, 64),
)
