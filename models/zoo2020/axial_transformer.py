import torch
from axial_attention import AxialImageTransformer
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: AxialImageTransformer(dim=32, depth=2, heads=4), torch.zeros(1, 32, 16, 16)
)
