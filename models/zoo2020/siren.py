import torch
from seeded import seeded
from siren_pytorch import SirenNet

get_pytorch_model, get_example_input = seeded(
    lambda: SirenNet(dim_in=2, dim_hidden=64, dim_out=3, num_layers=4, w0_initial=30.0), torch.zeros(256, 2)
)
