import torch
from lambda_networks import LambdaLayer
from seeded import seeded

get_pytorch_model, get_example_input = seeded(
    lambda: LambdaLayer(dim=32, dim_out=32, r=9, dim_k=16, heads=4), torch.zeros(1, 32, 16, 16)
)
