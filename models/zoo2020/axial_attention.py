import torch
from axial_attention import AxialAttention
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: AxialAttention(dim=32, dim_index=1, heads=4, num_dimensions=2), torch.zeros(1, 32, 16, 16)
)
